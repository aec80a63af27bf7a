"""What every chart shares: inks, fonts, and small pieces of specification.

Colours after Okabe and Ito: they differ in lightness too, and every one of them is named in a legend.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from contract.states import State
from contract.usage import Party

Spec: TypeAlias = dict[str, Any]
Row: TypeAlias = Mapping[str, Any]

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
"""A name that tools know the format by; nothing is fetched from it."""
FONT: Final = (
    ", ".join(
        f"'{name}'"
        for name in ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei")
    )
    + ", sans-serif"
)
INK: Final = "#6e7681"
"""Legible on white and on black."""
STRONG_INK: Final = "#57606a"
POWER: Final = "#7a5195"
CREDIT: Final = "#009e73"
PROVEN: Final = "#00614a"
MARK: Final = "#d55e00"
GAP: Final = "#8b949e"
STATES_KNOWN: Final = "#7f9ab5"
STATES: Final[Mapping[State, str]] = {
    State.RUNNING: "#0072b2",
    State.WARMUP: "#e69f00",
    State.COOLDOWN: "#56b4e9",
    State.STANDBY: "#c4c9cf",
    State.OFF: "#6b7280",
    State.FAULT: "#d55e00",
    State.UNKNOWN: "#eceff2",
}
PARTIES: Final[Mapping[Party, str]] = {
    Party.EXTERNAL: "#cc79a7",
    Party.OWN_GROUP: "#9fb6cd",
    Party.OTHER_GROUP: "#6f8fae",
    Party.AFFILIATED: "#c2a878",
    Party.UNKNOWN: "#b5b5b5",
}
WIDE_FONT_PX: Final = 12
NARROW_FONT_PX: Final = 11
WIDE_TITLE_PX: Final = 15
NARROW_TITLE_PX: Final = 14


def chart(layers: Sequence[Spec], title: Spec, size: Spec, *, narrow: bool) -> Spec:
    """A whole specification of one layered view.

    Args:
        layers: drawn one over the other.
        title: `text` and `subtitle`.
        size: `width` (px or `container`) and `height` (px).
        narrow: for telephones.
    """
    font_px = NARROW_FONT_PX if narrow else WIDE_FONT_PX
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": font_px, "titleFontSize": font_px}
    return {
        "$schema": SCHEMA,
        "background": None,
        "padding": 6,
        "autosize": {"type": "fit-x" if size["width"] == "container" else "pad", "contains": "padding"},
        "title": {"anchor": "start", "frame": "group", "offset": 10, **title},
        **size,
        "layer": list(layers),
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "text": {"color": INK, "fontSize": font_px},
            "axis": {**text, "domain": False, "ticks": False, "grid": False, "labelPadding": 5},
            "legend": {**text, "symbolType": "square", "symbolSize": 110, "titleFontWeight": "normal"},
            "title": {
                "color": STRONG_INK,
                "fontSize": NARROW_TITLE_PX if narrow else WIDE_TITLE_PX,
                "subtitleColor": INK,
                "subtitleFontSize": font_px,
                "subtitlePadding": 4,
            },
        },
    }


def layer(mark: Spec, rows: Iterable[Row], **encoding: Any) -> Spec:  # noqa: ANN401 - parts of a specification
    """One layer of marks over rows of its own."""
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def pixel(field: str) -> Spec:
    """A position that is already in px from the top of the view."""
    return {"field": field, "type": "quantitative", "scale": None}


def tooltip(**titles: str) -> list[Spec]:
    """Fields shown when pointed at, under titles in the reader's language."""
    return [{"field": field, "type": "nominal", "title": title} for field, title in titles.items()]


def colours(domain: Sequence[str], inks: Sequence[str]) -> Spec:
    """A scale that gives each label its ink, in the order of the legend."""
    return {"domain": list(domain), "range": list(inks)}
