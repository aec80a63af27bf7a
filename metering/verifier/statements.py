"""Steps V12, V13 and V16: statements and totals beside what the evidence gives, and sums that close.

The hours come from `metering.core.daily`, the same function that the service calls.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from metering.core.daily import Judged, Part
from metering.core.pipeline import RULES_VERSION
from metering.core.spans import Span, clip
from metering.core.statement import total
from metering.core.tally import Tally, tally
from metering.verifier import text
from metering.verifier.findings import Findings
from metering.verifier.form import LEVELS, total_stated

_SHOWN: Final = 4


class Statements:
    """Statements of a pack beside what is recomputed, part by part.

    Attributes:
        tallies: per level, cut to the period asked for.
        provisional: days that the service called provisional.
    """

    def __init__(self, stated: Sequence[Mapping[str, Any]], parts: Sequence[Part], findings: Findings) -> None:
        self._stated = stated
        self._findings = findings
        self.tallies: dict[int, list[Tally]] = {int(level): [] for level in LEVELS}
        self.provisional: list[str] = []
        findings.checked |= {"V12", "V13", "V16"}
        if len(stated) != len(parts) * len(LEVELS):
            raise findings.stop(
                "statement-missing", f"{len(parts) * len(LEVELS)} statements were expected, {len(stated)} are there"
            )

    def claimed_provisional(self, part: int, place: int) -> bool:
        """What a pack cannot show: whether evidence past a window had not come when a statement was made."""
        return self._stated[part * len(LEVELS) + place].get("provisional") is True

    def check(self, part: int, place: int, judged: Judged, asked: Span) -> None:
        """Compare one statement with what the evidence gives."""
        level = LEVELS[place]
        stated, found = self._stated[part * len(LEVELS) + place], judged.document
        label = f"{found['day']} L{level:d}"
        if stated.get("rules_version") != RULES_VERSION:
            self._findings.add(
                "statement-differs", f"{label}: by rules {_brief(stated.get('rules_version'))}, not {RULES_VERSION}"
            )
        if text.dumps(stated) != text.dumps(found):
            self._findings.add("statement-differs", f"{label}: {differences(stated, found)}")
        check_sums(label, stated, self._findings)
        if found["provisional"] and place == len(LEVELS) - 1:
            self._findings.add("provisional", found["day"])
            self.provisional.append(found["day"])
        self.tallies[level] += [tally(judged.measured, cut) for cut in clip((judged.part.period,), asked)]

    def totals(self, stated: Mapping[str, Any], asked: Span) -> dict[int, dict[str, Any]]:
        """The totals recomputed, compared with those stated."""
        found = {level: total(tallies, asked) for level, tallies in self.tallies.items()}
        for level, each in found.items():
            claimed = stated.get(f"L{level}")
            if text.dumps(claimed) != text.dumps(total_stated(each)):
                self._findings.add("total-differs", f"L{level}: {differences(_table(claimed), total_stated(each))}")
            check_sums(f"total L{level}", each, self._findings)
        if stated.keys() != {f"L{level}" for level in found}:
            self._findings.add("total-differs", f"totals of {', '.join(stated)}")
        return found


def check_sums(label: str, stated: Mapping[str, Any], findings: Findings) -> None:
    """Steps V13 and V16 of one statement or total, as it is stated."""
    try:
        begin, end = stated["period_ms"]
        states, external = stated["states_ms"], stated["external_ms"]
        low, point, high = (stated[f"effective{name}_ms"] for name in ("_low", "", "_high"))
        parts_ms = sum(stated[f"{name}_ms"] for name in ("run", "bridge", "prep", "post"))
        closed = sum(states.values()) == end - begin and min(states.values()) >= 0 and parts_ms == point
        bounded = 0 <= low <= point <= high <= end - begin
        within = all(0 <= least <= low and least <= most <= high for least, most in external.values())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        findings.add("not-closed", f"{label}: it cannot be added up ({type(error).__name__})")
        return
    if not closed:
        findings.add("not-closed", f"{label}: {sum(states.values())} ms of states in {end - begin} ms")
    if not (bounded and within):
        findings.add("exceeds", f"{label}: effective {low} to {high} ms of {end - begin} ms, external {external}")


def differences(stated: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The first fields that differ, in words."""
    names = sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name))
    shown = [f"{name} {_brief(stated.get(name))}, recomputed {_brief(found.get(name))}" for name in names[:_SHOWN]]
    return "; ".join([*shown, *([f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else [])]) or "types differ"


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _brief(value: object, most: int = 80) -> str:
    words = str(value)
    return words if len(words) <= most else words[: most - 1] + "…"
