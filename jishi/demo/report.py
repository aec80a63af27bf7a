"""The demo's last line: verified hours against the truth, and every frame accounted for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contract.units import bounds_text, hours, hours_text, share_text

READ_LATENCY_MS: Final = 20
"""A reading is stamped at most this long before or after the instant it speaks of."""
PERIOD_MS: Final = 1_000
_RELATIVE: Final = 0.005
_ATTRIBUTION: Final = "A1"
_ADDED: Final = ("effective_ms", "effective_low_ms", "effective_high_ms", "edges")


def row(instrument_class: str, truth_ms: int, measured: Mapping[str, Any]) -> dict[str, Any]:
    """One instrument: its truth beside what was measured (a row of `metering.cli.hours_run`)."""
    external_low, external_high = measured["external_h"][_ATTRIBUTION]
    return {
        "id": measured["id"],
        "class": instrument_class,
        "truth_h": hours(truth_ms),
        "verified_h": measured["effective_h"],
        "verified_low_h": measured["effective_low_h"],
        "verified_high_h": measured["effective_high_h"],
        "external_low_h": external_low,
        "external_high_h": external_high,
        "coverage": measured["coverage"],
        "edges": measured["edges"],
    }


def is_right(truth_ms: int, total: Mapping[str, Any]) -> bool:
    """Whether the truth lies within the bounds and, where nothing is unknown, the point value is near it."""
    low, point, high, unknown = (
        int(value)
        for value in (
            total["effective_low_ms"],
            total["effective_ms"],
            total["effective_high_ms"],
            total["states_ms"]["UNKNOWN"],
        )
    )
    edges = int(total["edges"])
    slack = READ_LATENCY_MS * edges
    inside = low - slack <= truth_ms <= high + slack
    near = abs(point - truth_ms) <= _RELATIVE * truth_ms + PERIOD_MS * edges
    return inside and (near or unknown > 0)


def summed(totals: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Totals of periods that do not overlap (as `statement.total`), added up."""
    lengths_ms = sum(total["period_ms"][1] - total["period_ms"][0] for total in totals)
    states_ms = {state: sum(total["states_ms"][state] for total in totals) for state in totals[0]["states_ms"]}
    levels = totals[0]["external_ms"]
    return {
        **{key: sum(total[key] for total in totals) for key in _ADDED},
        "states_ms": states_ms,
        "external_ms": {
            level: [sum(total["external_ms"][level][bound] for total in totals) for bound in (0, 1)] for level in levels
        },
        "coverage": 1 - states_ms["UNKNOWN"] / lengths_ms,
    }


def table_rows(report: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The report for people: instrument, truth, verified, bounds, external, coverage."""
    return [
        (
            one["id"],
            hours_text(_ms(one["truth_h"])),
            hours_text(_ms(one["verified_h"])),
            bounds_text(_ms(one["verified_low_h"]), _ms(one["verified_high_h"])),
            bounds_text(_ms(one["external_low_h"]), _ms(one["external_high_h"])),
            share_text(round(one["coverage"] * 1e9), 10**9),
        )
        for one in report["instruments"]
    ]


def _ms(hours_value: float) -> int:
    return round(hours_value * 3_600_000)
