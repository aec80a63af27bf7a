"""Rows to frames: nothing half used, nothing told twice, the same frames wherever an import goes on."""

import gzip
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from unit.gateway.room import BOOT, GATEWAY, INSTRUMENT, KEY, METER, SITE, T0_MS, contents, opened

from contract import codec
from contract.errors import ConfigError
from contract.frame import MAX_TIME_MS, Measurement
from contract.ids import StreamId
from contract.recordings import Sample
from contract.states import ClockState, MeterState, Source
from gateway.chain import Chain, Recordings, Signer
from gateway.framer import MAX_TICKS
from gateway.imported import Writing, measurements
from gateway.spool import Spool
from gateway.trace import WINDOW, Fate, Trace, find

HEADER = "time,power_w,run,ready"
LINES = ("run", "ready")
MINE = StreamId(b"i" * 16)


def writing(period_ms: int = 1_000, lines: tuple[str, ...] = ()) -> Writing:
    return Writing(
        instrument=INSTRUMENT,
        meter=METER,
        clock=ClockState.UNSYNCHRONISED,
        period_ms=period_ms,
        line_names=lines,
        boot_id=BOOT,
    )


def table(folder: Path, *rows: str, header: str = HEADER, lines: Sequence[str] = LINES) -> Trace:
    path = folder / "trace.csv"
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return find([path], "csv", None, "power_w", lines)


def row(second: int, power_w: str = "1.5", lines: str = "1,0") -> str:
    return f"2025-03-10T01:{second // 60:02}:{second % 60:02}.250Z,{power_w},{lines}"


def seconds(samples: Sequence[Sample]) -> list[int]:
    return [(sample.time_ms - T0_MS) // 1_000 for sample in samples]


def test_a_row_of_a_table_is_read_to_the_milliwatt_and_the_line(tmp_path: Path) -> None:
    trace = table(tmp_path, row(0), row(1, "-0.0004", "0,1"))
    assert [*trace.samples(Fate())] == [Sample(T0_MS + 250, 1_500, 1), Sample(T0_MS + 1_250, 0, 2)]


@pytest.mark.parametrize(
    "broken",
    [
        row(1, "nan"), row(1, "inf"), row(1, "1e300"), row(1, ""), row(1, "1.5", "2,0"), row(1, "1.5", "1"),
        "2025-02-30T01:00:01Z,1,0,0", "6500-01-01T00:00:00Z,1,0,0", "1969-01-01T00:00:00Z,1,0,0", '"', "\x00",
        row(1).replace("1.5", '1.5"'),
    ],
)  # fmt: skip
def test_a_broken_row_is_counted_and_never_half_used(tmp_path: Path, broken: str) -> None:
    fate = Fate()
    assert seconds([*table(tmp_path, row(0), broken, row(2)).samples(fate)]) == [0, 2]
    assert (fate.rows.read, fate.rows.broken) == (2, 1)


def test_bytes_that_are_no_text_cost_their_row(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(b"10/03/2025 09:00:00;5;5\n\xff\xfe;5;5\n10/03/2025 09:00:02;6;5\n")
    fate = Fate()
    found = [*find([path], "tracebase", "Asia/Shanghai", "", ()).samples(fate)]
    assert found == [Sample(T0_MS, 5_000), Sample(T0_MS + 2_000, 6_000)]
    assert fate.rows.broken == 1


def test_rows_out_of_order_are_put_in_order_and_those_that_come_too_late_are_not_used(tmp_path: Path) -> None:
    shuffled = [*range(100)]
    Random(1).shuffle(shuffled)
    fate = Fate()
    assert seconds([*table(tmp_path, *map(row, [*shuffled, 7, 7])).samples(fate)]) == [*range(100)]
    assert fate.rows.out_of_order > 10
    assert (fate.duplicate, fate.late) == (2, 0)
    many = [row(second % 3_600) for second in range(1, 2 * WINDOW)][:3_500]
    far = [row(second).replace("T01:", "T02:") for second in range(3_500)]
    fate = Fate()
    samples = [*table(tmp_path, *many, *far, *far, row(0)).samples(fate)]
    assert len(samples) == 7_000
    assert fate.late == 1
    assert all(before.time_ms < after.time_ms for before, after in pairwise(samples))


def test_one_glitch_into_the_future_costs_one_row_not_those_after_it(tmp_path: Path) -> None:
    fate = Fate()
    found = [*table(tmp_path, row(0), row(9).replace("2025", "2035"), row(1), row(2)).samples(fate)]
    assert seconds(found)[:3] == [0, 1, 2]
    assert len(found) == 4


def test_a_table_has_all_lines_of_the_instrument_or_none(tmp_path: Path) -> None:
    assert table(tmp_path, row(0)).columns
    with pytest.raises(ConfigError, match="no column stop, a line of this instrument"):
        table(tmp_path, row(0), lines=("run", "stop"))
    none = table(tmp_path, row(0), lines=("stop", "post"))
    assert none.columns is not None
    assert [*none.samples(Fate())] == [Sample(T0_MS + 250, 1_500)]


def test_a_recording_is_named_by_its_text_packed_or_not_in_order_of_time(tmp_path: Path) -> None:
    late, early = tmp_path / "a.csv", tmp_path / "b.csv.gz"
    late.write_text(f"{HEADER}\n{row(5)}\n", "utf-8")
    early.write_bytes(gzip.compress(f"{HEADER}\n{row(0)}\n".encode()))
    found = find([late, early], "csv", None, "power_w", LINES)
    assert found.files == (early, late)
    (tmp_path / "c.csv").write_bytes(gzip.decompress(early.read_bytes()))
    assert find([tmp_path / "c.csv"], "csv", None, "power_w", LINES).digests == found.digests[:1]


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        (b"rubbish\n", "tracebase", "no row of it could be read: is it tracebase"),
        (gzip.compress(b"rubbish\n" * 99, mtime=0)[:-9], "tracebase", "trace.gz: "),
        (b"time,mains\n", "csv", "no column power_w; there are time, mains"),
        (b"", "csv", "no column time"),
    ],
)
def test_what_cannot_be_read_says_so_before_anything_is_signed(
    tmp_path: Path, content: bytes, form: str, words: str
) -> None:
    path = tmp_path / ("trace.gz" if content[:2] == b"\x1f\x8b" else "trace")
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        find([path], form, "Asia/Shanghai", "power_w", ())
    with pytest.raises(ConfigError, match="--tz"):
        find([path], "tracebase", None, "power_w", ())


@pytest.mark.parametrize("period_ms", [200, 1_000, 10_000, 86_400_000])
def test_frames_hold_each_sample_once_and_are_the_same_wherever_an_import_goes_on(period_ms: int) -> None:
    random = Random(period_ms)
    times = sorted(random.sample(range(T0_MS, T0_MS + 30_000_000), 400))
    samples, said = [Sample(t_ms, t_ms % 977) for t_ms in times], writing(period_ms)
    whole = [*measurements(samples, said)]
    assert [t_ms for frame in whole for t_ms in frame.utc_ms] == times
    assert all(frame.utc_ms[-1] - frame.utc_ms[0] < said.frame_ms for frame in whole)
    for cut in range(1, len(whole)):
        told_ms = whole[cut - 1].utc_ms[-1]
        assert [*measurements((one for one in samples if one.time_ms > told_ms), said)] == whole[cut:]


def test_a_frame_of_an_import_says_so_and_survives_the_wire_however_dense() -> None:
    samples = [Sample(T0_MS + place, Random(place).randrange(10**11), place % 4) for place in range(2 * MAX_TICKS + 1)]
    frames = [*measurements(samples, writing(1, LINES))]
    assert [len(frame.utc_ms) for frame in frames] == [MAX_TICKS, MAX_TICKS, 1]
    assert all(frame.source is Source.IMPORTED and codec.decode(codec.encode(frame)) == frame for frame in frames)
    assert max(len(codec.encode(frame)) for frame in frames) < 65_000
    assert T0_MS < MAX_TIME_MS


def test_a_register_that_fell_is_flagged_within_a_frame_and_between_two() -> None:
    counts = [5, 9, 8, 8, 7, 7]
    samples = [Sample(T0_MS + 300_000 * place, 1, None, count) for place, count in enumerate(counts)]
    frames = [*measurements(samples, writing())]
    assert [frame.energy_begin and frame.energy_begin.energy_mwh for frame in frames] == [5, 8, 7]
    assert [frame.meter_state for frame in frames] == [
        MeterState.OK,
        MeterState.REGISTER_FELL,
        MeterState.REGISTER_FELL,
    ]
    frames = [*measurements([Sample(T0_MS, 1, None, 5), Sample(T0_MS + 1, 1, None, 4)], writing())]
    assert frames[0].meter_state is MeterState.REGISTER_FELL


def imported(spool: Spool, heard: list[int]) -> Chain:
    signer = Signer(spool, KEY, SITE, GATEWAY)
    chain = Chain(signer, INSTRUMENT, lambda _, seq: heard.append(seq), Recordings(stream_id=MINE, digests=[b"d" * 32]))
    chain.begin(boot_id=BOOT, clock=ClockState.UNSYNCHRONISED, created_ms=T0_MS, predecessor=None)
    return chain


def test_what_is_sampled_is_never_told_in_the_stream_of_an_import(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
        room.recorder.close()
        sampled = room.spool.streams()[-1].stream_id
        heard: list[int] = []
        chain = imported(room.spool, heard)
        chain.say(*measurements([Sample(T0_MS + 700_000 * place, 1) for place in range(3)], writing()))
        assert heard == [0, 1, 2, 3]
        assert all(isinstance(told, Measurement) for told in contents(room.spool, MINE)[1:])
        assert room.spool.teller(INSTRUMENT, b"d" * 32) == MINE
        assert room.spool.teller(INSTRUMENT, b"e" * 32) is None
    with opened(tmp_path) as room:
        room.tick(1)
        room.recorder.close()
        ends = {stream.stream_id: stream.next_seq for stream in room.spool.streams()}
    assert ends == {sampled: 3, MINE: 4}
