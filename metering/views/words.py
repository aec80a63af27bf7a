"""Stretches told in sentences, Chinese and English, for somebody who runs a laboratory; and every label of a chart.

Hours are written by `contract.units`, times in the managing unit's zone. Does not: decide anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from string import Formatter
from typing import Final

from contract.errors import ConfigError
from contract.states import ClockState, OutageCause, State
from contract.units import bounds_text, hours_text
from contract.usage import Party
from metering.core.reasons import Stretch
from metering.views import labels, phrases
from metering.views.labels import Pair

_SHORT_MS: Final = 600_000
_TELLING_MS: Final = 36_000
"""A hundredth of an hour."""
_LONG_MS: Final = 7_200_000
_TEN_W_MW: Final = 10_000
_TEN_KW_MW: Final = 10_000_000
_BEFORE_UNIT: Final = re.compile(r"(?<=\d) (?=(?:k?W|h|min|s)\b)", re.ASCII)
_SEEN: Final = ("power_min_mw", "power_mean_mw", "power_max_mw")


class Lang(StrEnum):
    """Which language labels and sentences are in."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


def lang_of(text: str) -> Lang:
    """The language of an option.

    Raises:
        ConfigError: it is none of ours.
    """
    if text not in set(Lang):
        raise ConfigError("nothing can be told", [f"--lang: one of {', '.join(Lang)} was expected"])
    return Lang(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One stretch in words.

    Attributes:
        when: local time from and to; verdict: credited or not, and as what.
        hours: how long, and the bounds of what counts.
        seen: the power that was read; empty where there was none, and in a gap.
        why: the rule that decided; change: what would change it, possibly empty.
    """

    when: str
    verdict: str
    hours: str
    seen: str
    why: str
    change: str

    @property
    def text(self) -> str:
        """The sentences after the verdict."""
        said = " ".join(part for part in (self.seen, self.why, self.change) if part)
        return said.replace("。 ", "。")


def tell(stretch: Stretch, zone: tzinfo, lang: Lang) -> Told:
    """A stretch in words.

    Args:
        stretch: of `metering.core.explain`.
        zone: of the managing unit.
        lang: BOTH puts the English after the Chinese.
    """
    changes = [
        _said(phrases.CHANGES[each.what], {**stretch.facts, **each.facts}, lang) for each in stretch.would_change
    ]
    return Told(
        when=span_text(stretch.from_ms, stretch.to_ms, zone),
        verdict=pick(labels.KINDS[stretch.kind], lang),
        hours=_hours(stretch, lang),
        seen=_seen(stretch, lang),
        why=_said(phrases.REASONS[stretch.why], stretch.facts, lang),
        change=" ".join(changes),
    )


def pick(pair: Pair, lang: Lang) -> str:
    """The text in a language, or both with a space between."""
    return {Lang.ZH: pair[0], Lang.EN: pair[1], Lang.BOTH: f"{pair[0]} {pair[1]}"}[lang]


def state_label(state: State, lang: Lang) -> str:
    """A state in words."""
    return pick(labels.STATES[state], lang)


def party_label(party: Party, lang: Lang) -> str:
    """Whose use it was, in words."""
    return pick(labels.PARTIES[party], lang)


def clock_text(time_ms: int, zone: tzinfo) -> str:
    """Local time of day, with seconds where it has any."""
    moment = datetime.fromtimestamp(time_ms / 1000, zone)
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")


def span_text(from_ms: int, to_ms: int, zone: tzinfo) -> str:
    """A span in local time: the date once where one is enough, and the offset where it changes in between."""
    first, last = (datetime.fromtimestamp(time_ms / 1000, zone) for time_ms in (from_ms, to_ms))
    begin, end = (clock_text(time_ms, zone) for time_ms in (from_ms, to_ms))
    if first.utcoffset() != last.utcoffset():
        begin, end = begin + first.strftime("%z"), end + last.strftime("%z")
    if first.date() == last.date():
        return f"{first:%Y-%m-%d} {begin}–{end}"
    if datetime.fromtimestamp((to_ms - 1) / 1000, zone).date() == first.date():
        return f"{first:%Y-%m-%d} {begin}–24:00"
    return f"{first:%Y-%m-%d} {begin} – {last:%Y-%m-%d} {end}"


def duration_text(duration_ms: int) -> str:
    """A duration as people say it: seconds up to ten minutes, then minutes, then hours."""
    if duration_ms >= _LONG_MS:
        return f"{hours_text(duration_ms)} h"
    minutes, rest_ms = divmod(duration_ms, 60_000)
    if duration_ms < _SHORT_MS:
        return f"{_number(duration_ms)} s"
    return f"{minutes} min" + (f" {_number(rest_ms)} s" if rest_ms else "")


def at_most_text(duration_ms: int) -> str:
    """An upper bound in hours, rounded up."""
    return f"{bounds_text(0, duration_ms).removesuffix(']').rpartition(' ')[2]} h"


def unbroken(text: str) -> str:
    """A sentence in which no line ends between a number and its unit."""
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)


def power_text(power_mw: int) -> str:
    """Power in W, or kW from ten of them on."""
    return f"{_number(power_mw // 1000)} kW" if power_mw >= _TEN_KW_MW else f"{_number(power_mw)} W"


def _number(thousandths: int) -> str:
    """A number given in thousandths, without zeros that say nothing."""
    return f"{thousandths / 1000:.3f}".rstrip("0").rstrip(".")


def _hours(stretch: Stretch, lang: Lang) -> str:
    length = duration_text(stretch.duration_ms)
    point_ms = stretch.duration_ms if stretch.credited else 0
    # Every edge is only known to an interval between readings; saying so at each would hide what matters.
    if max(point_ms - stretch.low_ms, stretch.high_ms - point_ms) < _TELLING_MS:
        return length
    bounds = bounds_text(stretch.low_ms, stretch.high_ms)
    counted = pick(("其中计入", "of which counts"), lang)
    return f"{length}, {counted} {hours_text(point_ms)} h {bounds}"


def _seen(stretch: Stretch, lang: Lang) -> str:
    facts: dict[str, int] = dict(stretch.facts)
    # A reading at the edge of a gap tells nothing of it.
    if "power_readings" not in facts or stretch.state is State.UNKNOWN:
        return ""
    # Readings are told to the watt, levels as they are.
    facts |= {name: round(facts[name], -3 if facts[name] >= _TEN_W_MW else -2) for name in _SEEN}
    same = facts["power_min_mw"] == facts["power_max_mw"]
    pair = ("功率 {power_mean_mw}。", "Power {power_mean_mw}.") if same else (
        "功率 {power_min_mw}–{power_max_mw}，平均 {power_mean_mw}。",
        "Power {power_min_mw} to {power_max_mw}, mean {power_mean_mw}.",
    )  # fmt: skip
    return _said((pair,), facts, lang)


def _said(variants: tuple[Pair, ...], facts: Mapping[str, int], lang: Lang) -> str:
    """The first variant whose facts are all there, filled in."""
    for pair in variants:
        asked = {name for text in pair for _, name, _, _ in Formatter().parse(text) if name}
        if asked <= facts.keys():
            filled = [
                text.format_map({name: _fact(name, facts[name], one) for name in asked})
                for text, one in zip(pair, (Lang.ZH, Lang.EN), strict=True)
            ]
            return pick((filled[0], filled[1]), lang)
    raise KeyError(f"no variant of {variants[0][1]!r} fits {sorted(facts)}")


def _fact(name: str, value: int, lang: Lang) -> str:
    """A fact as text, by the unit its name ends in."""
    if name == "high_ms":
        return at_most_text(value)
    if name.endswith("_ms"):
        return duration_text(value)
    if name.endswith("_mw"):
        return power_text(value)
    if name == "clock_state":
        return pick(labels.CLOCKS[ClockState(value)], lang)
    if name == "outage_cause":
        return pick(labels.CAUSES[OutageCause(value)], lang)
    return str(value)
