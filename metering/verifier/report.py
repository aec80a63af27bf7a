"""What a verification found, as one JSON object. Names in it are fixed: other programs read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from contract.units import hours, utc_text
from metering.core.gaps import Gap
from metering.verifier.findings import Findings
from metering.verifier.gaps import words
from metering.verifier.opening import Pack
from metering.verifier.steps import Weight

HEADLINE: Final = "A1"
"""External hours are shown at the level of bookings made beforehand, as `jishi hours run` does."""
UNANCHORED_ALWAYS: Final = (
    "sessions: nobody signed who used the instrument (nobody does before there is a log)",
    "provisional: that later evidence came, or had not, is the service's word",
    "completeness: evidence that was never stored, or was left out at either end, is a gap and no contradiction",
    "contradiction: left out, a second stream or proof of equivocation can raise the hours (no log of frames yet)",
)
UNANCHORED_WITHOUT_KEYS: Final = (
    "keys: that they are the gateways' is the pack's own word",
    "policies: that another body approved them, and when, is the pack's own word",
    "bindings: which meter serves the instrument is the pack's own word",
    "simulation: that this is none, or one, is the pack's own word",
)


class Verdict(StrEnum):
    """What is said of a pack."""

    VERIFIED = "VERIFIED"
    VERIFIED_WITH_GAPS = "VERIFIED_WITH_GAPS"
    UNANCHORED = "UNANCHORED"
    REJECTED = "REJECTED"
    NOT_A_PACK = "NOT_A_PACK"


EXIT: Final = {
    Verdict.VERIFIED: 0,
    Verdict.VERIFIED_WITH_GAPS: 0,
    Verdict.REJECTED: 1,
    Verdict.NOT_A_PACK: 2,
    Verdict.UNANCHORED: 3,
}
"""Exit status of `jishi verify`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What was recomputed.

    Attributes:
        totals: as `statement.total`, per level.
        provisional: days that the service called provisional.
    """

    totals: Mapping[int, dict[str, Any]]
    gaps: tuple[Gap, ...]
    frames: int
    provisional: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification found.

    Attributes:
        pack: None where it could not be taken apart.
        hours: None where they were not recomputed.
        anchored: whether there was a register of trust.
    """

    pack: Pack | None
    hours: Hours | None
    findings: Findings
    anchored: bool

    @property
    def evidence(self) -> Verdict:
        """The verdict on what the pack holds together, whoever vouches for its keys."""
        if self.findings.codes() or self.hours is None:
            return Verdict.REJECTED
        return Verdict.VERIFIED_WITH_GAPS if self.findings.has(Weight.GAP) else Verdict.VERIFIED

    @property
    def verdict(self) -> Verdict:
        """The verdict: without a register of trust nothing is verified."""
        found = self.evidence
        return found if self.anchored or found is Verdict.REJECTED else Verdict.UNANCHORED

    def as_json(self, seconds: float) -> dict[str, Any]:
        """The report as one object; hours of a rejected pack are null.

        Args:
            seconds: how long it took.
        """
        total = None if self.hours is None or self.evidence is Verdict.REJECTED else self._headline(self.hours)
        return {
            "verdict": self.verdict,
            "codes": self.findings.codes(),
            **headline(total),
            "frames": 0 if self.hours is None else self.hours.frames,
            "seconds": round(seconds, 3),
            "evidence": self.evidence,
            "anchored": self.anchored,
            **self._what(),
            "levels": {} if total is None or self.hours is None else _levels(self.hours),
            "provisional": [] if self.hours is None else list(self.hours.provisional),
            "gaps": [] if self.hours is None else [_gap(gap) for gap in self.hours.gaps],
            "steps": self.findings.steps(),
            "unanchored": [*UNANCHORED_ALWAYS, *(() if self.anchored else UNANCHORED_WITHOUT_KEYS)],
        }

    def _headline(self, found: Hours) -> dict[str, Any] | None:
        return None if self.pack is None else found.totals[int(self.pack.manifest.level)]

    def _what(self) -> dict[str, Any]:
        if self.pack is None:
            return {"instrument": None, "period": None, "level": None, "simulation": None, "keys": [], "made_by": None}
        known, manifest = self.pack.known, self.pack.manifest
        about = known.instrument
        return {
            "instrument": {"id": about.instrument, "name_zh": about.name_zh, "name_en": about.name_en,
                           "unit": about.unit, "time_zone": about.time_zone},
            "period": {edge: local_text(at, ZoneInfo(about.time_zone))
                       for edge, at in zip(("from", "to"), manifest.asked, strict=True)},
            "level": int(manifest.level),
            "simulation": known.simulation,
            "keys": [{"kid": key.kid.hex(), "gateway": key.gateway, "site": key.site} for key in known.keys],
            "made_by": {"by": manifest.by, "code_version": manifest.code_version},
        }  # fmt: skip


def not_a_pack(error: str, seconds: float) -> dict[str, Any]:
    """The object for a file that is no pack: the names that programs read, and why."""
    said = {"verdict": Verdict.NOT_A_PACK, "codes": ["V01"], **headline(None), "frames": 0}
    return {**said, "seconds": round(seconds, 3), "error": error}


def local_text(time_ms: int, zone: ZoneInfo) -> str:
    """A moment as RFC 3339 in the managing unit's zone, to the second."""
    return datetime.fromtimestamp(time_ms // 1_000, zone).isoformat(timespec="seconds")


def headline(total: Mapping[str, Any] | None) -> dict[str, Any]:
    """The hours of a total under their fixed names; null where there are none."""
    if total is None:
        names = ("effective_h", "effective_low_h", "effective_high_h", "external_low_h", "external_high_h", "coverage")
        return dict.fromkeys(names) | {"external_h": None}
    external = {level: [hours(low), hours(high)] for level, (low, high) in total["external_ms"].items()}
    return {
        "effective_h": hours(total["effective_ms"]),
        "effective_low_h": hours(total["effective_low_ms"]),
        "effective_high_h": hours(total["effective_high_ms"]),
        "external_low_h": external[HEADLINE][0],
        "external_high_h": external[HEADLINE][1],
        "coverage": total["coverage"],
        "external_h": external,
    }


def _levels(found: Hours) -> dict[str, Any]:
    return {f"L{level}": {**headline(total), "total": total} for level, total in found.totals.items()}


def _gap(gap: Gap) -> dict[str, Any]:
    zh, en = words(gap)
    return {
        "from": utc_text(gap.from_ms),
        "to": utc_text(gap.to_ms),
        "from_ms": gap.from_ms,
        "to_ms": gap.to_ms,
        "reason": gap.why,
        "facts": dict(gap.facts),
        "zh": zh,
        "en": en,
    }
