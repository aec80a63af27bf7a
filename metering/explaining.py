"""The shell round explanations: what the store holds of an instrument, told stretch by stretch, and drawn.

Does not: append anything, or decide why (`core.explain`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contract.errors import ConfigError
from contract.registry import Instrument
from contract.states import Assurance
from contract.units import bounds_text, hours, hours_text, parse_utc_ms, utc_text
from metering import reading
from metering.core.daily import Judged
from metering.core.explain import Stretch, explain
from metering.core.spans import Span, clip
from metering.views import charts, picture, words
from metering.views.words import Lang
from storage import registry
from storage.pool import Connection, connect

LONGEST_MS: Final = 7 * 86_400_000
"""A week: every reading of the period is held at once."""
_WIDTH_PX: Final = 1_000
_MOST_ROWS: Final = 200
"""More nobody reads in a terminal."""
_LATEST_MS: Final = parse_utc_ms("9000-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why time of one instrument was credited or not.

    Attributes:
        period: what the stretches cover, UTC ms.
        parts: the whole local days that the period touches, judged.
    """

    instrument: Instrument
    level: Assurance
    period: Span
    parts: tuple[Judged, ...]
    stretches: tuple[Stretch, ...]

    @property
    def zone(self) -> ZoneInfo:
        """Of the managing unit."""
        return ZoneInfo(self.instrument.time_zone)

    def chart(self, lang: Lang, *, width_px: int | None = _WIDTH_PX, narrow: bool = False) -> dict[str, Any]:
        """The local days that the period touches, with the period marked (`charts.day_chart`)."""
        whole = self.parts[0].part.period[0], self.parts[-1].part.period[1]
        names = self.instrument.name_zh, self.instrument.name_en
        mark = None if self.period == whole else self.period
        shown = charts.day_of(self.parts, self.zone, names, mark=mark, stretches=self.stretches)
        return charts.day_chart(shown, lang, width_px=width_px, narrow=narrow)


def explain_period(connection: Connection, instrument: Instrument, period: Span, level: Assurance) -> Explained:
    """Why each instant of a period was credited or not.

    Raises:
        StorageError: the store failed.
        ConfigError: a policy in force cannot be read, or the period is longer than `LONGEST_MS`.
    """
    if period[1] - period[0] > LONGEST_MS:
        raise ConfigError("nothing was explained", ["--to: a week at most; ask again for the rest"])
    parts = tuple(reading.judge(connection, instrument, period, level))
    stretches = [told for one in parts for cut in clip((one.part.period,), period) for told in explain(one, cut)]
    return Explained(instrument=instrument, level=level, period=period, parts=parts, stretches=tuple(stretches))


def explain_at(connection: Connection, instrument: Instrument, at_ms: int, level: Assurance) -> Explained:
    """Why a moment was credited or not: the stretch that holds it, with the one before and after in its local day.

    Raises:
        StorageError: the store failed.
        ConfigError: a policy in force cannot be read.
    """
    parts = tuple(reading.judge(connection, instrument, (at_ms, at_ms + 1), level))
    whole = [told for one in parts for told in explain(one, one.part.period)]
    place = next(place for place, told in enumerate(whole) if told.from_ms <= at_ms < told.to_ms)
    near = tuple(whole[max(place - 1, 0) : place + 2])
    period = near[0].from_ms, near[-1].to_ms
    return Explained(instrument=instrument, level=level, period=period, parts=parts, stretches=near)


def hours_explain(
    dsn: str | None, name: str, asked: Mapping[str, str | None], level: int, drawing: tuple[Path | None, Lang]
) -> Explained:
    """What `jishi hours explain` does, but for the printing.

    Args:
        dsn: of the store.
        name: of the instrument.
        asked: the options `at`, or `from` and `to`, as given.
        level: 2 or 3.
        drawing: where a picture goes, if one is wanted, and in which language.

    Raises:
        ConfigError: an option cannot be used; all faults at once.
        StorageError: the store failed.
    """
    times = _times(asked, drawing[0])
    with connect(dsn) as connection:
        instrument = {found.instrument: found for found in registry.instruments(connection)}.get(name)  # type: ignore[call-overload]
        if instrument is None:
            raise ConfigError("nothing was explained", [f"--instrument: {name} is not in the registry"])
        if len(times) == 1:
            found = explain_at(connection, instrument, times[0], Assurance(level))
        else:
            found = explain_period(connection, instrument, (times[0], times[1]), Assurance(level))
    if drawing[0]:
        _draw(found, drawing[0], drawing[1])
    return found


def as_json(found: Explained) -> dict[str, Any]:
    """One object: codes and numbers for programs, sentences for people."""
    return {
        "instrument": found.instrument.instrument,
        "name_zh": found.instrument.name_zh,
        "name_en": found.instrument.name_en,
        "level": int(found.level),
        "zone": found.instrument.time_zone,
        "from": utc_text(found.period[0]),
        "to": utc_text(found.period[1]),
        **{f"effective{name}_h": hours(duration_ms) for name, duration_ms in _sums(found).items()},
        "stretches": [_row(one, found.zone) for one in found.stretches],
    }


def show(found: Explained, lang: Lang) -> None:
    """A table for people, within 80 columns."""
    sums = _sums(found)
    names = words.pick((found.instrument.name_zh, found.instrument.name_en), lang)
    title = f"{names}, L{found.level}: {hours_text(sums[''])} h {bounds_text(sums['_low'], sums['_high'])}"
    table = Table(title=escape(title), show_header=False, show_lines=True, expand=False)
    table.add_column(max_width=24)
    table.add_column(overflow="fold")
    spoken = (Lang.ZH, Lang.EN) if lang is Lang.BOTH else (lang,)
    for one in found.stretches[:_MOST_ROWS]:
        told = [words.tell(one, found.zone, each) for each in spoken]
        state = words.state_label(one.state, lang)
        ink = "green" if one.credited else "yellow" if one.possible_for_high else "dim"
        said = "\n".join(f"[bold {ink}]{escape(each.verdict)}[/]\n{escape(each.text)}" for each in told)
        table.add_row(escape(f"{told[0].when.replace(' ', chr(10), 1)}\n{state}\n{told[-1].hours}"), said)
    console = Console()
    console.print(table)
    if (more := len(found.stretches) - _MOST_ROWS) > 0:
        console.print(f"另有 {more} 段 and {more} more: --json tells all of them")


def _sums(found: Explained) -> dict[str, int]:
    told = found.stretches
    return {
        "": sum(one.duration_ms for one in told if one.credited),
        "_low": sum(one.low_ms for one in told),
        "_high": sum(one.high_ms for one in told),
    }


def _row(one: Stretch, zone: ZoneInfo) -> dict[str, Any]:
    texts = {}
    for lang in (Lang.ZH, Lang.EN):
        told = words.tell(one, zone, lang)
        texts[lang.value] = {**asdict(told), "text": told.text}
    return {
        "from": utc_text(one.from_ms),
        "to": utc_text(one.to_ms),
        "duration_ms": one.duration_ms,
        "state": one.state.name,
        "credited": one.credited,
        "kind": one.kind.value,
        "why": one.why.value,
        "low_ms": one.low_ms,
        "high_ms": one.high_ms,
        "facts": dict(one.facts),
        "lines": list(one.lines),
        "would_change": [{"what": each.what.value, "facts": dict(each.facts)} for each in one.would_change],
        "texts": texts,
    }


def _draw(found: Explained, path: Path, lang: Lang) -> None:
    form = picture.Format(path.suffix[1:].lower())
    if form is picture.Format.PNG and not picture.draws_chinese():
        hint = "install fonts-noto-cjk, or the package noto-cjk-sans-otc; an SVG is drawn with its reader's fonts"
        Console(stderr=True).print(f"没有中文字体 no font for Chinese was found: {hint}")
    drawn = picture.render(found.chart(lang), form)
    try:
        path.write_bytes(drawn)
    except OSError as error:
        raise ConfigError("the picture was not written", [f"--picture: {path}: {error.strerror}"]) from error


def _times(asked: Mapping[str, str | None], target: Path | None) -> list[int]:
    """The moment, or beginning and end.

    Raises:
        ConfigError: every fault at once.
    """
    given = {name: text for name, text in asked.items() if text is not None}
    faults = [] if set(given) in ({"at"}, {"from", "to"}) else ["--at, or --from and --to, must be given"]
    if target and target.suffix[1:].lower() not in set(picture.Format):
        faults.append("--picture: a name that ends in .svg or .png was expected")
    times = []
    for name, text in given.items():
        try:
            times.append(parse_utc_ms(text))
        except ValueError as error:
            faults.append(f"--{name}: {error}")
        else:
            if not 0 <= times[-1] <= _LATEST_MS:
                faults.append(f"--{name}: {text} is outside the years 1970 to 9000")
    if not faults and sorted(set(times)) != times:
        faults.append("--to: must be later than --from")
    if faults:
        raise ConfigError("nothing was explained", faults)
    return times
