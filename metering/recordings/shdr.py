"""MTConnect SHDR: `time|key|value|key|value...`, sent on change. Source: ANSI/MTC1.4, part 2 (EXECUTION).

A value holds until the next of its key; every row of the stream, whatever it is about, shows that the stream is alive.
A silence longer than `max_gap`, or a time that goes back by more, ends a recording: then nothing is known until the
key is reported again. Commands (`@ASSET@`, `* adapterVersion`) carry the time of what they are about, not of the
stream, and may go on over several lines: they say nothing of either.
"""

from collections.abc import Iterable, Iterator, Sequence

from contract.errors import ConfigError
from contract.recordings import Rows
from contract.states import State
from contract.units import parse_utc_ms
from metering.recordings.trace import Kind, Reading, Trace, count_order

STATES = {"ACTIVE": State.RUNNING, "WAIT": State.RUNNING, "UNAVAILABLE": State.UNKNOWN}
"""Values of EXECUTION; every other one, and one that is not known, is STANDBY."""

_MULTILINE = "--multiline--"


def read(files: Iterable[Sequence[str]], key: str | None, max_gap_ms: int) -> Trace:
    """Read the lines of one or more files; the period is from the first row to the last.

    Raises:
        ConfigError: no key was named, or it never occurs.
    """
    if key is None:
        raise ConfigError("nothing was measured", ["--key: name the execution item of the stream, `execution` say"])
    rows, readings = Rows(), list[Reading]()
    times = list[int]()
    for lines in files:
        found, seen = _readings(lines, key, max_gap_ms, rows)
        readings += found
        times += seen
    if not readings:
        raise ConfigError("nothing was measured", [f"--key: {key} is never reported in this stream"])
    return Trace(kind=Kind.STATE, readings=readings, period=((min(times), max(times)),), rows=rows)


def _readings(lines: Sequence[str], key: str, max_gap_ms: int, rows: Rows) -> tuple[list[Reading], list[int]]:
    readings: list[Reading] = []
    times: list[int] = []
    state, begins = State.UNKNOWN, True
    for line in _without_commands(lines, rows):
        try:
            time_ms, items = _parsed(line)
        except ValueError:
            rows.broken += 1
            continue
        rows.read += 1
        if times and not -max_gap_ms <= time_ms - times[-1] <= max_gap_ms:
            state, begins = State.UNKNOWN, True
        times.append(time_ms)
        if key in items:
            state = STATES.get(items[key], State.STANDBY)
        if state is State.UNKNOWN:
            begins = True
        else:
            readings.append(Reading(time_ms=time_ms, value=state, begins=begins))
            begins = False
    rows.out_of_order += count_order([Reading(time_ms=time_ms, value=0) for time_ms in times])
    return readings, times


def _without_commands(lines: Iterable[str], rows: Rows) -> Iterator[str]:
    """The rows that report values; commands are read and passed over, with the lines that belong to them."""
    closing = None
    for line in lines:
        if closing is not None:
            closing = None if line == closing else closing
        elif "|@" in line or line.startswith("*"):
            rows.read += 1
            _, multiline, tag = line.partition(_MULTILINE)
            closing = multiline + tag or None
        else:
            yield line


def _parsed(line: str) -> tuple[int, dict[str, str]]:
    stamp, *items = line.rstrip("\r\n").split("|")
    if len(items) < 2:  # noqa: PLR2004 - a key and its value
        raise ValueError(f"no key and value: {line!r}")
    return parse_utc_ms(stamp), dict(zip(items[::2], items[1::2], strict=False))
