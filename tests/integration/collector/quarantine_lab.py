"""A laboratory whose registry lacks a binding, and people who mend it."""

from pathlib import Path

from evidence import DAY_MS, FROM_MS, LATER_MS, Gateway, enrol
from psycopg import sql

from collector import quarantine
from collector.quarantine import Decided
from collector.sink import Sink
from collector.subscriber import Message
from contract.errors import Reason
from contract.units import utc_text
from metering import job
from storage import frames, registry, registry_file, registry_load
from storage.intake import Intake
from storage.pool import Connection, connect
from storage.quarantine import Wanted

ALPHA, BETA = Gateway(name="alpha"), Gateway(name="beta")
MIDNIGHT_MS = DAY_MS - 8 * 3_600_000
ASKED = (DAY_MS, DAY_MS + 600_000)
NOW_MS = LATER_MS + 1
NO_BINDING = Wanted(reason=Reason.NO_BINDING, gateway="alpha", waiting=True)


class Laboratory:
    """A collector, a registry that may lack the binding of alpha, and people who mend it."""

    def __init__(self, dsn: str, folder: Path, connection: Connection) -> None:
        self.dsn, self._folder, self.connection = dsn, folder, connection
        self._intake = Intake(dsn, "test")
        self._sink = Sink(self._intake, lambda seconds: seconds > 0)
        enrol(dsn, folder, ALPHA, BETA)
        connection.execute("DELETE FROM binding WHERE gateway_no = 1")
        self.load(POLICY)

    def hear(self, *raws: bytes, received_at_ms: int = LATER_MS) -> None:
        heard = {"topic": ALPHA.topic, "received_at_ms": received_at_ms, "mid": 1, "qos": 1, "connection": 0}
        self._sink.take([Message(raw=raw, **heard) for raw in raws])  # type: ignore[arg-type]  # fields by name

    def load(self, content: str) -> None:
        path = self._folder / "more.toml"
        path.write_text(f"simulation = false\n{content}", "utf-8")
        with connect(self.dsn) as other:
            registry_load.load(other, registry_file.read(path))

    def bind(self, valid_from_ms: int = FROM_MS, gateway: Gateway = ALPHA) -> None:
        bound = f'instrument = "{gateway.instrument}"\ngateway = "alpha"\nmeter_model = "sdm120"'
        since = f'valid_from = "{utc_text(valid_from_ms)}"'
        self.load(f'[[binding]]\n{bound}\nmeter_serial = "{gateway.meter.serial}"\n{since}')

    def readmit(self, wanted: Wanted = NO_BINDING) -> list[Decided]:
        return quarantine.readmit(self.connection, wanted, "a tester", NOW_MS)

    def hours(self) -> job.Hours:
        (instrument,) = [one for one in registry.instruments(self.connection) if one.instrument == ALPHA.instrument]
        return job.run(self.connection, instrument, ASKED)

    def stored(self) -> list[bytes]:
        return list(frames.read(self.connection, ALPHA.instrument, 0, 1 << 50))

    def rows(self, table: str) -> list[tuple[object, ...]]:
        return sorted(
            self.connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall(), key=repr
        )

    def close(self) -> None:
        self._intake.close()


POLICY = f"""[[policy]]
id = "hours"
version = 1
instrument = "{ALPHA.instrument}"
proposed_by = "a"
proposed_body = "laboratory"
approved_by = "b"
approved_body = "office"
approved_at = "{utc_text(MIDNIGHT_MS - 1)}"
valid_from = "{utc_text(MIDNIGHT_MS)}"
[policy.rules]
profile = "runstate"
bridge_s = 0
max_gap_s = 61
lines = [{{ line = "run", state = "RUNNING" }}]
"""
