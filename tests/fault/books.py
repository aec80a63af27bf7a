"""The books of a chain: what was signed, what is stored, and whether both tell the whole truth, once."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import psycopg
from fault.plant import Gateway, Plant

from contract import codec, seal
from contract.frame import Content, Measurement, Outage, Readings
from gateway.journal import recover
from gateway.spool import path_in
from storage import counters
from storage.pool import connect

Place = tuple[bytes, int]
"""(stream id, seq)"""
Tick = tuple[int, int | None, int | None]
"""(UTC ms, power in mW, run-state lines); None is absent."""
Ticks = Mapping[str, Sequence[Tick]]
"""By instrument, in the order of telling."""


_ROWS = """
SELECT (extract(epoch FROM taken_at) * 1000)::bigint, {} FROM {} JOIN instrument USING (instrument_no)
WHERE instrument_id = %s ORDER BY 1
"""


@dataclass(kw_only=True)
class Told:
    """What frames tell, link by link verified.

    Attributes:
        ticks: of each instrument.
        outages: of all instruments, by stream.
    """

    ticks: dict[str, list[Tick]] = field(default_factory=lambda: defaultdict(list))
    outages: list[Outage] = field(default_factory=list)


def signed(data_dir: Path) -> dict[Place, bytes]:
    """All frames of a spool."""
    query = "SELECT stream_id, seq, raw FROM frame JOIN stream ON number = stream ORDER BY number, seq"
    with closing(sqlite3.connect(f"{path_in(data_dir).absolute().as_uri()}?mode=ro", uri=True)) as db:
        return {(stream, seq): raw for stream, seq, raw in db.execute(query)}


def stored(dsn: str) -> list[tuple[Place, bytes]]:
    """All frames of the table."""
    query = "SELECT stream_id, seq, bytes FROM frame JOIN stream USING (stream_no) ORDER BY stream_no, seq"
    with psycopg.connect(dsn) as connection:
        return [((stream, seq), raw) for stream, seq, raw in connection.execute(query)]


def quarantined(dsn: str) -> list[tuple[Place, bytes, str]]:
    """What is in quarantine under a good signature, and why."""
    query = "SELECT stream_id, seq, bytes, reason FROM quarantine JOIN stream USING (stream_no) WHERE authentic"
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(query).fetchall()
    return [((stream, seq), raw, reason) for stream, seq, raw, reason in rows]


def told_by(frames: Iterable[tuple[Place, bytes]], public: bytes) -> Told:
    """What frames tell; each stream MUST be unbroken from its beginning, and all of it signed by one key."""
    told, heads = Told(), dict[bytes, tuple[int, bytes]]()
    key = seal.load_public_key(public)
    for (stream, seq), raw in frames:
        frame = seal.open_frame(raw)
        seal.verify(frame.protected, frame.payload, frame.signature, key)
        last, last_hash = heads.get(stream, (-1, seal.FIRST_PREV_HASH))
        assert (seq, frame.envelope.prev_hash) == (last + 1, last_hash), f"the link before {seq} is broken"
        heads[stream] = seq, frame.frame_hash
        _enter(told, codec.decode(frame.payload))
    return told


def _enter(told: Told, content: Content) -> None:
    match content:
        case Outage():
            told.outages.append(content)
        case Measurement():
            count = len(content.utc_ms)
            power, lines = _column(content.power, count), _column(content.lines, count)
            told.ticks[content.instrument] += zip(content.utc_ms, power, lines, strict=True)


def _column(readings: Readings | None, count: int) -> list[int | None]:
    if readings is None:
        return [None] * count
    values = iter(readings.values)
    return [None if place in readings.absent else next(values) for place in range(count)]


def kept(gateway: Gateway) -> dict[str, list[Tick]]:
    """What a dead gateway's folder holds of each instrument: its spool, and the journal unless that is told already."""
    ticks = told_by(signed(gateway.data_dir).items(), gateway.public).ticks
    for path in gateway.data_dir.glob("*.journal"):
        if found := recover(path):
            known = {tick[0] for tick in ticks[path.stem]}
            ticks[path.stem] += [
                (tick.utc_ms, tick.power_mw, tick.lines) for tick in found.ticks if tick.utc_ms not in known
            ]
    return dict(ticks)


def audit(plant: Plant, truth: Ticks) -> None:
    """Every signed frame is stored once, byte for byte, and tells the truth; heads, projections, counts are right."""
    spooled = list(signed(plant.gateway.data_dir).items())
    assert sorted(stored(plant.dsn)) == sorted(spooled)
    told = told_by(spooled, plant.gateway.public)
    assert told.outages == []
    assert {name: tuple(ticks) for name, ticks in told.ticks.items()} == dict(truth)
    balanced(plant.dsn, len(spooled))
    projected(plant.dsn, truth)


def balanced(dsn: str, frames: int) -> None:
    """So many frames are stored, none is quarantined, no stream has a hole, and every message is accounted for."""
    with connect(dsn) as connection:
        counted = counters.read(connection)
        heads = connection.execute(
            "SELECT h.upto, h.held, (SELECT max(seq) FROM frame f WHERE f.stream_no = h.stream_no) FROM stream_head h"
        ).fetchall()
    assert counted.balanced, counted
    assert (counted.stored, counted.frames, counted.quarantined) == (frames, frames, 0), counted
    assert [(upto, held) for upto, held, _ in heads] == [(last, []) for _, _, last in heads]


def projected(dsn: str, truth: Ticks) -> None:
    """The rows that people look at hold each sample of the truth once, and each change of the lines once."""
    power_rows = _ROWS.format("power_mw", "power_sample").encode()
    state_rows = _ROWS.format("closed_lines", "run_state").encode()
    with psycopg.connect(dsn) as connection:
        for name, ticks in truth.items():
            assert connection.execute(power_rows, [name]).fetchall() == [(at, power) for at, power, _ in ticks]
            states = connection.execute(state_rows, [name]).fetchall()
            lines = [(at, state) for at, _, state in ticks if state is not None]
            changes = {one for before, one in pairwise([(0, None), *lines]) if before[1] != one[1]}
            assert len(states) == len(set(states))
            assert changes <= set(states) <= set(lines)
