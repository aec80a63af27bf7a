"""A recording on disk: what it is by its content, and its rows in order of time, never all of them at once.

Does not: sign, or judge what a silence means.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedReader, TextIOWrapper
from itertools import islice, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract import recordings
from contract.errors import ConfigError
from contract.recordings import ENERGY_COLUMN, Columns, Rows, Sample

FORMATS: Final = ("tracebase", "csv")

WINDOW: Final = 4_096
"""Rows are put in order within so many; what comes later than that is not used."""
_CHUNK_BYTES: Final = 1 << 20
_LONE_ROW_MS: Final = 1_000
_LONGEST_LINE: Final = 4_096
_NO_ROW: Final = "?"
"""Stands for a line that was too long to be one: it is counted as broken."""


@dataclass(slots=True, kw_only=True)
class Fate:
    """What became of the rows of a recording.

    Attributes:
        rows: as they stand in the files.
        duplicate: rows read at the moment of another; of several the first counts.
        late: rows read that stood more than WINDOW rows after a later one; they are not used.
    """

    rows: Rows = field(default_factory=Rows)
    duplicate: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One recording in one or more files, in the order of their first rows; `.gz` or plain.

    Attributes:
        digests: SHA-256 of each file's text, unpacked.
        columns: of a table; None for tracebase.
        zone: of local times; None: every time has an offset.
    """

    files: tuple[Path, ...]
    digests: tuple[bytes, ...]
    columns: Columns | None
    zone: ZoneInfo | None

    def samples(self, fate: Fate) -> Iterator[Sample]:
        """Its rows, strictly rising in time.

        Raises:
            ConfigError: a local time that the zone had twice.
        """
        return _rising((row for path in self.files for row in _rows(path, self.columns, self.zone, fate.rows)), fate)

    def period_ms(self) -> int:
        """The median step of its first rows; 1 s where there is no step."""
        first = islice(self.samples(Fate()), WINDOW)
        steps = sorted(after.time_ms - before.time_ms for before, after in pairwise(first))
        return steps[len(steps) // 2] if steps else _LONE_ROW_MS


def find(files: Sequence[Path], form: str, tz: str | None, power_column: str, lines: Sequence[str]) -> Trace:
    """Look at a recording: name it by its content, find its columns.

    Args:
        files: at least one.
        form: one of FORMATS.
        tz: zone of local times, such as Asia/Shanghai.
        power_column: of active power, W (csv).
        lines: names of run-state lines; a table has columns for all of them or for none (csv).

    Raises:
        ConfigError: a file cannot be read, or is not of this format.
    """
    zone = _zone(tz, form)
    found = []
    for path in files:
        digest = _digest(path)
        columns = _columns(path, power_column, lines) if form == "csv" else None
        first = next(_rows(path, columns, zone, Rows()), None)
        if first is None:
            raise unusable(f"{path}: no row of it could be read: is it {form}?")
        found.append((first.time_ms, digest, path, columns))
    found.sort(key=itemgetter(0, 1))
    _, digests, paths, columns_of = zip(*found, strict=True)
    if len(set(columns_of)) > 1:
        raise unusable("the files have different columns: import them one at a time")
    return Trace(files=paths, digests=digests, columns=columns_of[0], zone=zone)


def unusable(*faults: str) -> ConfigError:
    """The error of a recording that cannot be imported."""
    return ConfigError("nothing was imported", faults)


def _zone(tz: str | None, form: str) -> ZoneInfo | None:
    if tz is None:
        if form == "tracebase":
            raise unusable("--tz: a tracebase file is in local time: name its zone, Europe/Berlin say")
        return None
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise unusable(f"--tz: there is no zone {tz!r}") from error


def _columns(path: Path, power_column: str, lines: Sequence[str]) -> Columns:
    with _text(path) as text:
        names = recordings.header(text.readline(_LONGEST_LINE))
    missing = [name for name in lines if name not in names]
    if 0 < len(missing) < len(lines):
        # What a line says depends on those that go before it: a part of them would say something else.
        raise unusable(*(f"{path}: there is no column {name}, a line of this instrument" for name in missing))
    energy = ENERGY_COLUMN if ENERGY_COLUMN in names else None
    return Columns(power=power_column, lines=() if missing else tuple(lines), energy=energy)


def _rows(path: Path, columns: Columns | None, zone: ZoneInfo | None, rows: Rows) -> Iterator[Sample]:
    with _text(path) as text:
        if columns is not None:
            yield from recordings.table(_lines(text), columns, zone, rows)
        elif zone is not None:
            yield from recordings.tracebase(_lines(text), zone, rows)


def _lines(text: TextIOWrapper) -> Iterator[str]:
    """Lines, none of which fills the memory."""
    while line := text.readline(_LONGEST_LINE):
        whole = line.endswith("\n") or len(line) < _LONGEST_LINE
        while line and not (line.endswith("\n") or len(line) < _LONGEST_LINE):
            line = text.readline(_LONGEST_LINE)
        yield line if whole else _NO_ROW


def _rising(rows: Iterator[Sample], fate: Fate) -> Iterator[Sample]:
    """Rows in order of time; neighbours by far are in order already, and sorting costs next to nothing."""
    last_ms, waiting = -1, list[Sample]()
    while True:
        batch = list(islice(rows, WINDOW))
        waiting += batch
        waiting.sort(key=itemgetter(0))
        # While rows still come, one of them may belong before the newest WINDOW.
        ready = len(waiting) - WINDOW if batch else len(waiting)
        for row in waiting[: max(0, ready)]:
            if row[0] > last_ms:
                last_ms = row[0]
                yield row
            elif row[0] == last_ms:
                fate.duplicate += 1
            else:
                fate.late += 1
        del waiting[: max(0, ready)]
        if not batch:
            return


def _digest(path: Path) -> bytes:
    """SHA-256 of a file's text: the same packed or not; and whether it can be read to its end at all."""
    digest = hashlib.sha256()
    try:
        with _unpacked(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise unusable(f"{path}: {error}") from error
    return digest.digest()


def _unpacked(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _text(path: Path) -> TextIOWrapper:
    # A byte that is no text breaks its own row, not the file.
    return TextIOWrapper(_unpacked(path), encoding="utf-8-sig", errors="replace")
