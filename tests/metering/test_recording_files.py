"""Recordings as files: what is broken is counted, what is ambiguous is refused, nothing is half used."""

import gzip
from pathlib import Path

import pytest

from contract.errors import ConfigError
from metering.recordings.meter import meter_files

POLICY = "enter_w = 100\nbridge_s = 0\nmax_gap_s = 30\n"
ROW = "10/03/2025 {};{};0"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, "utf-8")
    return path


def trace(folder: Path, *rows: str, name: str = "trace.csv") -> list[Path]:
    path = folder / name
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return [path]


def minute(*powers: int, begin: int = 0) -> list[str]:
    return [ROW.format(f"12:00:{begin + second:02}", power) for second, power in enumerate(powers)]


def test_broken_rows_are_counted_and_never_half_used(tmp_path: Path, policy: Path) -> None:
    rows = [*minute(200, 200), "10/03/2025 12:00:02;9x9;0", "10/03/2025 12:00:03;200", "31/02/2025 12:00:04;200;0"]
    found = meter_files(trace(tmp_path, *rows, *minute(200, 0, begin=5)), policy, tz="Asia/Shanghai")
    assert found["rows"] == {"read": 4, "broken": 3, "out_of_order": 0}
    assert found["states_s"]["RUNNING"] == 6


def test_rows_out_of_order_are_put_in_order_and_counted(tmp_path: Path, policy: Path) -> None:
    rows = minute(200, 200, 200, 0)
    shuffled = meter_files(trace(tmp_path, rows[0], rows[2], rows[1], rows[3]), policy, tz="Asia/Shanghai")
    straight = meter_files(trace(tmp_path, *rows), policy, tz="Asia/Shanghai")
    assert shuffled["rows"].pop("out_of_order") == 1
    assert straight["rows"].pop("out_of_order") == 0
    assert shuffled == straight


def test_nothing_is_integrated_or_credited_across_a_gap(tmp_path: Path, policy: Path) -> None:
    rows = [*minute(3600, 3600), ROW.format("13:00:00", 3600), ROW.format("13:00:01", 0)]
    found = meter_files(trace(tmp_path, *rows), policy, tz="Asia/Shanghai")
    assert found["states_s"]["RUNNING"] == 1 + 30 + 1, "the value holds for max_gap, then nothing is known"
    assert found["energy_kwh"] == pytest.approx(0.032)


def test_days_that_are_not_adjacent_hold_nothing_between_them(tmp_path: Path, policy: Path) -> None:
    rows = ["10/03/2025 23:59:59;200;0", "12/03/2025 00:00:00;200;0"]
    found = meter_files(trace(tmp_path, *rows), policy, tz="Asia/Shanghai")
    assert sum(found["states_s"].values()) == 2 * 86_400


def test_local_time_needs_its_zone(tmp_path: Path, policy: Path) -> None:
    with pytest.raises(ConfigError, match="--tz: a tracebase file is in local time"):
        meter_files(trace(tmp_path, *minute(200)), policy)
    with pytest.raises(ConfigError, match="--tz: there is no zone 'Asia/Atlantis'"):
        meter_files(trace(tmp_path, *minute(200)), policy, tz="Asia/Atlantis")


def test_a_local_hour_that_happened_twice_is_refused(tmp_path: Path, policy: Path) -> None:
    with pytest.raises(ConfigError, match="happened twice in Europe/Berlin"):
        meter_files(trace(tmp_path, "26/10/2025 02:30:00;200;0"), policy, tz="Europe/Berlin")


def test_a_local_time_that_never_was_is_broken(tmp_path: Path, policy: Path) -> None:
    rows = ["30/03/2025 02:30:00;200;0", "30/03/2025 03:30:00;200;0"]
    found = meter_files(trace(tmp_path, *rows), policy, tz="Europe/Berlin")
    assert (found["rows"]["read"], found["rows"]["broken"]) == (1, 1)
    assert sum(found["states_s"].values()) == 23 * 3_600


def test_a_table_with_a_header(tmp_path: Path, policy: Path) -> None:
    rows = [
        "time,site,mains",
        "2025-03-10T12:00:00+08:00,a,200",
        "2025-03-10T04:00:10Z,a,nan",
        "2025-03-10T04:00:20Z,a,0",
    ]
    found = meter_files(trace(tmp_path, *rows), policy, "csv", key="mains")
    assert (found["states_s"]["RUNNING"], found["rows"]["broken"]) == (20, 1)
    assert found["runs"][0]["start"] == "2025-03-10T04:00:00+00:00"
    with pytest.raises(ConfigError, match="--key: there is no column power_w; there are time, site, mains"):
        meter_files(trace(tmp_path, *rows), policy, "csv")
    with pytest.raises(ConfigError, match="--tz"):
        meter_files(trace(tmp_path, "time,power_w", "2025-03-10T12:00:00,1"), policy, "csv")


def test_silence_after_active_is_unknown_not_running(tmp_path: Path, policy: Path) -> None:
    rows = ["2025-03-10T04:00:00Z|x|ACTIVE|load|1", "2025-03-10T04:00:20Z|load|2", "2025-03-10T05:00:00Z|load|3"]
    found = meter_files(trace(tmp_path, *rows), policy, "shdr", key="x")
    assert found["states_s"]["RUNNING"] == 20
    assert found["effective_low_h"] == pytest.approx(20 / 3600)
    assert found["effective_high_h"] == pytest.approx(1)


def test_unavailable_is_unknown(tmp_path: Path, policy: Path) -> None:
    rows = [
        f"2025-03-10T04:00:{second:02}Z|x|{value}"
        for second, value in ((0, "ACTIVE"), (10, "UNAVAILABLE"), (20, "READY"))
    ]
    found = meter_files(trace(tmp_path, *rows), policy, "shdr", key="x")
    assert found["effective_low_h"] == 0
    assert found["effective_high_h"] == pytest.approx(20 / 3600)


def test_compressed_or_not_is_the_same(tmp_path: Path, policy: Path) -> None:
    (plain,) = trace(tmp_path, *minute(200, 200, 0))
    packed = tmp_path / "trace.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert meter_files([packed], policy, tz="Asia/Shanghai") == meter_files([plain], policy, tz="Asia/Shanghai")


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        (b"\xff\xfe", "tracebase", "utf-8"),
        (b"rubbish\n", "tracebase", "no row of 1 could be read"),
        (b"rubbish\n", "parquet", "--format: parquet is none of tracebase, csv, shdr"),
        (b"rubbish\n", "shdr", "--key"),
    ],
)
def test_what_cannot_be_read_says_so(tmp_path: Path, policy: Path, content: bytes, form: str, words: str) -> None:
    path = tmp_path / "trace"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        meter_files([path], policy, form, tz="Asia/Shanghai")
