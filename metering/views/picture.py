"""A specification as a picture, rendered in this process: no browser, no network.

Needs the package `vl-convert-python`, imported only when a picture is asked for. It draws Chinese with the fonts of the
computer, and with that of the package `noto-cjk-sans-otc` where it is installed; `draws_chinese` looks for either.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from contract.errors import ConfigError
from metering.views.style import FONT, SCHEMA

_FONT_PACKAGE = "noto_cjk_sans_otc"


class Format(StrEnum):
    """What a picture can be."""

    SVG = "svg"
    PNG = "png"


def render(spec: Mapping[str, Any], form: Format, *, scale: float = 2.0) -> bytes:
    """Render a specification on white.

    Args:
        spec: of `metering.views.charts`, with a width in px.
        form: SVG keeps text as text, and its reader's fonts draw it; PNG is drawn here.
        scale: pixels of a PNG per px of the chart.

    Raises:
        ConfigError: what draws is not installed.
    """
    drawing, on_white = _drawing(), {**spec, "background": "white"}
    if form is Format.SVG:
        svg: str = drawing.vegalite_to_svg(on_white)
        return svg.encode()
    png: bytes = drawing.vegalite_to_png(on_white, scale=scale)
    return png


@cache
def draws_chinese() -> bool:
    """Whether a font for Chinese was found: without one, two different characters come out as the same box.

    Raises:
        ConfigError: what draws is not installed.
    """
    first, second = (
        render({"$schema": SCHEMA, "data": {"values": [{}]}, "mark": {"type": "text", "text": text, "font": FONT}},
               Format.PNG)
        for text in "机时"
    )  # fmt: skip
    return first != second


@cache
def _drawing() -> ModuleType:
    try:
        import vl_convert  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - only who asks for a picture
    except ImportError as error:
        raise ConfigError(
            "no picture can be drawn", ["install jishi[metering]: the package vl-convert-python draws"]
        ) from error
    found = find_spec(_FONT_PACKAGE)
    for folder in found.submodule_search_locations or () if found else ():
        vl_convert.register_font_directory(folder)
    module: ModuleType = vl_convert
    return module
