"""Hours from a real database: statements of whole local days, totals of what was asked, history kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from evidence import DAY_MS, FROM_MS, LATER_MS, Gateway, Stream, enrol, retimed

from collector.sink import Sink
from collector.subscriber import Message
from contract.errors import ConfigError
from contract.states import Assurance, ClockState, Source
from contract.units import utc_text
from metering import cli, job
from metering.core import statement
from storage import registry, registry_file, registry_load, statements
from storage.intake import Intake
from storage.pool import Connection, connect

ALPHA = Gateway(name="alpha")
MIDNIGHT_MS = DAY_MS - 8 * 3_600_000  # of 10 March in Shanghai; frames begin at 08:00 there
ASKED = (DAY_MS, DAY_MS + 600_000)
DAY = (MIDNIGHT_MS, MIDNIGHT_MS + 86_400_000)
RUN_MS = 1_000
"""A frame of five ticks a second apart closes the run line at the third tick: a second of run, for the point value."""

Deliver = Callable[[Stream], None]


@pytest.fixture
def deliver(migrated: str, tmp_path: Path) -> Deliver:
    """Admits and stores a stream's frames as the collector does."""
    enrol(migrated, tmp_path, ALPHA)

    def put(stream: Stream) -> None:
        intake = Intake(migrated, "test")
        sink = Sink(intake, lambda _: True)
        heard = {"topic": stream.gateway.topic, "received_at_ms": LATER_MS, "mid": 1, "qos": 1, "connection": 0}
        sink.take([Message(raw=raw, **heard) for raw in stream.frames])  # type: ignore[arg-type]  # fields by name
        intake.close()

    return put


def approve(dsn: str, folder: Path, valid_from_ms: int, valid_to_ms: int | None = None, version: int = 1) -> None:
    """Put a policy in force."""
    until = f'valid_to = "{utc_text(valid_to_ms)}"' if valid_to_ms else ""
    path = folder / "policy.toml"
    path.write_text(
        f"""simulation = false
[[policy]]
id = "hours"
version = {version}
instrument = "{ALPHA.instrument}"
proposed_by = "a"
proposed_body = "laboratory"
approved_by = "b"
approved_body = "office"
approved_at = "{utc_text(valid_from_ms)}"
valid_from = "{utc_text(valid_from_ms)}"
{until}
[policy.rules]
profile = "runstate"
bridge_s = 0
max_gap_s = {60 + version}
lines = [{{ line = "run", state = "RUNNING" }}]
""",
        "utf-8",
    )
    with connect(dsn) as connection:
        registry_load.load(connection, registry_file.read(path))


def measured(connection: Connection, asked: tuple[int, int] = ASKED, level: Assurance = Assurance.SIGNED) -> job.Hours:
    (instrument,) = registry.instruments(connection)
    return job.run(connection, instrument, asked, level)


def ten(name: str = "first") -> Stream:
    stream = Stream(gateway=ALPHA, name=name)
    stream.grow(10)
    return stream


def test_a_statement_is_a_whole_local_day_and_the_total_what_was_asked(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    deliver(ten())
    approve(migrated, tmp_path, MIDNIGHT_MS)
    found = measured(connection)
    (day,) = found.days
    assert (day["day"], day["period_ms"], day["provisional"]) == ("2025-03-10", list(DAY), True)
    assert day["effective_ms"] == found.total["effective_ms"] == 9 * RUN_MS
    assert sum(day["states_ms"].values()) == 86_400_000
    assert sum(found.total["states_ms"].values()) == 600_000
    assert measured(connection, (DAY_MS, DAY_MS + 120_000)).total["effective_ms"] == RUN_MS


def test_the_same_evidence_gives_the_same_statement_once(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    deliver(ten())
    approve(migrated, tmp_path, MIDNIGHT_MS)
    first, again = measured(connection), measured(connection, DAY)
    assert (first.appended, again.appended) == (1, 0)
    assert first.days == again.days
    (stored,) = statements.read(connection, ALPHA.instrument, *DAY)
    assert stored.digest == statement.digest(first.days[0]) == statement.digest(stored.document)


def test_late_evidence_supersedes_and_keeps_the_old_statement(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    whole = ten()
    deliver(Stream(gateway=ALPHA, frames=whole.frames[:5]))
    approve(migrated, tmp_path, MIDNIGHT_MS)
    old = measured(connection).days[0]
    deliver(Stream(gateway=ALPHA, frames=whole.frames[5:]))
    new = measured(connection).days[0]
    assert (old["effective_ms"], new["effective_ms"]) == (4 * RUN_MS, 9 * RUN_MS)
    (standing,) = statements.read(connection, ALPHA.instrument, *DAY)
    assert (standing.digest, standing.supersedes) == (statement.digest(new), statement.digest(old))
    assert connection.execute("SELECT count(*) FROM statement").fetchone() == (2,)


def test_without_a_policy_nothing_is_credited_and_all_is_possible(deliver: Deliver, connection: Connection) -> None:
    deliver(ten())
    total = measured(connection).total
    assert (total["effective_low_ms"], total["effective_ms"], total["effective_high_ms"]) == (0, 0, 600_000)
    assert total["coverage"] == 0


def test_a_day_is_cut_where_the_policy_changes(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    deliver(ten())
    change = DAY_MS + 300_000
    approve(migrated, tmp_path, MIDNIGHT_MS, change)
    approve(migrated, tmp_path, change, version=2)
    days = measured(connection).days
    assert [day["period_ms"] for day in days] == [[DAY[0], change], [change, DAY[1]]]
    assert [day["policy"] for day in days] == ["hours@1", "hours@2"]
    assert len({day["policy_hash"] for day in days}) == 2
    assert sum(day["effective_ms"] for day in days) == 9 * RUN_MS


def test_unsynchronised_time_earns_telemetry_but_no_verified_hours(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    stream = Stream(gateway=ALPHA)
    stream.grow(1)
    for minute in range(1, 10):
        begin = DAY_MS + 60_000 * minute
        stream.add(retimed(ALPHA.measurement(begin), begin, ClockState.UNSYNCHRONISED))
    deliver(stream)
    approve(migrated, tmp_path, MIDNIGHT_MS)
    assert measured(connection, level=Assurance.TELEMETRY).total["effective_ms"] == 9 * RUN_MS
    verified = measured(connection).total
    assert (verified["effective_ms"], verified["effective_high_ms"]) == (0, 600_000)
    assert len(statements.read(connection, ALPHA.instrument, *DAY)) == 2, "one statement a level"


def test_a_clock_that_nobody_set_makes_no_day_final(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    stream = ten()
    later_ms = DAY[1] + 10 * 86_400_000
    stream.add(retimed(ALPHA.measurement(later_ms), later_ms, ClockState.UNSYNCHRONISED))
    deliver(stream)
    approve(migrated, tmp_path, MIDNIGHT_MS)
    assert measured(connection).days[0]["provisional"] is True
    sure = Stream(gateway=ALPHA, name="other")
    sure.grow(1)
    sure.add(retimed(ALPHA.measurement(later_ms), later_ms, ClockState.SYNCHRONISED))
    deliver(sure)
    assert measured(connection).days[0]["provisional"] is False


def test_imported_readings_earn_telemetry_but_no_verified_hours(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    stream = Stream(gateway=ALPHA)
    stream.grow(1)
    for minute in range(1, 10):
        stream.add(replace(ALPHA.measurement(DAY_MS + 60_000 * minute), source=Source.IMPORTED))
    deliver(stream)
    approve(migrated, tmp_path, MIDNIGHT_MS)
    assert measured(connection, level=Assurance.TELEMETRY).total["effective_ms"] == 9 * RUN_MS
    assert measured(connection).total["effective_ms"] == 0


def test_equivocation_credits_nothing_from_there_on(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    whole = ten()
    deliver(whole)
    twin = Stream(gateway=ALPHA, frames=whole.frames[:6])
    twin.add(ALPHA.measurement(DAY_MS + 1))
    deliver(Stream(gateway=ALPHA, frames=twin.frames[6:]))
    approve(migrated, tmp_path, MIDNIGHT_MS)
    assert measured(connection).total["effective_ms"] == 5 * RUN_MS


def load(dsn: str, folder: Path, text: str) -> None:
    path = folder / "more.toml"
    path.write_text(f"simulation = false\n{text}", "utf-8")
    with connect(dsn) as connection:
        registry_load.load(connection, registry_file.read(path))


def binding(gateway: str, since_ms: int, until_ms: int | None = None, role: str = "sole") -> str:
    until = f'valid_to = "{utc_text(until_ms)}"' if until_ms else ""
    return f"""[[binding]]
instrument = "{ALPHA.instrument}"
gateway = "{gateway}"
meter_model = "sdm120"
meter_serial = "serial-{gateway}"
role = "{role}"
valid_from = "{utc_text(since_ms)}"
{until}
"""


def test_a_policy_put_in_force_at_noon_leaves_no_two_statements_for_one_moment(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    deliver(ten())
    approve(migrated, tmp_path, MIDNIGHT_MS)
    measured(connection)
    noon = MIDNIGHT_MS + 12 * 3_600_000
    approve(migrated, tmp_path, MIDNIGHT_MS, noon)
    approve(migrated, tmp_path, noon, version=2)
    measured(connection)
    standing = [(s.period_from_ms, s.period_to_ms) for s in statements.read(connection, ALPHA.instrument, *DAY)]
    assert standing == [(DAY[0], noon), (noon, DAY[1])]


def test_what_was_computed_last_is_what_stands(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    deliver(ten())
    approve(migrated, tmp_path, MIDNIGHT_MS)
    first = measured(connection).days[0]
    cut = DAY_MS + 300_000
    load(migrated, tmp_path, binding("alpha", FROM_MS, cut))
    assert measured(connection).days[0]["effective_ms"] < first["effective_ms"]
    load(migrated, tmp_path, binding("alpha", cut))
    third = measured(connection)
    assert third.days[0]["effective_ms"] == first["effective_ms"]
    (standing,) = statements.read(connection, ALPHA.instrument, *DAY)
    assert standing.digest == statement.digest(third.days[0])


@pytest.mark.parametrize("role", ["shared", "auxiliary"])
def test_a_meter_that_is_not_its_own_earns_nothing_beside_one_that_is(
    role: str, deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    beta = Gateway(name="beta")
    known = f"""[[gateway]]
id = "beta"
site = "huaian"
unit = "unit"
[[gateway.key]]
public_key = "{beta.public.hex()}"
valid_from = "{utc_text(FROM_MS)}"
[[meter]]
model = "sdm120"
serial = "serial-beta"
"""
    load(migrated, tmp_path, known + binding("beta", FROM_MS, role=role))
    approve(migrated, tmp_path, MIDNIGHT_MS)
    other = Stream(gateway=beta)
    other.add(replace(beta.genesis(), instrument=ALPHA.instrument))
    for minute in range(1, 10):
        other.add(replace(beta.measurement(DAY_MS + 60_000 * minute), instrument=ALPHA.instrument))
    deliver(other)
    total = measured(connection).total
    assert (total["effective_ms"], total["states_ms"]["UNKNOWN"]) == (0, 600_000)


def test_a_day_is_final_once_later_evidence_came(
    deliver: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    approve(migrated, tmp_path, MIDNIGHT_MS)
    stream = ten()
    stream.add(ALPHA.measurement(DAY[1] + 8 * 3_600_000))
    deliver(stream)
    assert measured(connection).days[0]["provisional"] is False


def test_the_command_lists_every_fault_of_its_options(migrated: str) -> None:
    with pytest.raises(ConfigError) as raised:
        cli.hours_run(migrated, ("2025-03-10T00:00:00", "soon"), None, 3)
    assert [fault.split(":")[0] for fault in raised.value.faults] == ["--from", "--to"]
    with pytest.raises(ConfigError, match="--to: must be later"):
        cli.hours_run(migrated, ("2025-03-10T00:00:00Z", "2025-03-09T00:00:00Z"), None, 3)
    with pytest.raises(ConfigError, match="--instrument: nobody is not in the registry"):
        cli.hours_run(migrated, ("2025-03-10T00:00:00Z", "2025-03-11T00:00:00Z"), ["nobody"], 3)


def test_the_table_reads_in_chinese_and_english(
    deliver: Deliver, migrated: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(ten())
    approve(migrated, tmp_path, MIDNIGHT_MS)
    cli.show(cli.hours_run(migrated, (utc_text(ASKED[0]), utc_text(ASKED[1])), None, 3))
    shown = capsys.readouterr().out
    assert "有效机时" in shown
    assert "质谱仪" in shown
    assert "[0.00, 0.04]" in shown, "bounds are rounded outward"
