"""Charts as SVG, drawn by the server: for browsers without scripts, for print, and for reports.

Does not: draw charts (`metering.views.charts`).
"""

from typing import Any, Final

from fastapi import Response

from metering.views.picture import Format, render

WIDTH_PX: Final = 900
"""Of the plot, where nobody's screen says how wide it may be."""


def svg(spec: dict[str, Any]) -> Response:
    """A specification drawn."""
    return Response(render(spec, Format.SVG), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})
