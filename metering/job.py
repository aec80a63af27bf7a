"""The shell round the core: asks storage for evidence, has the core measure, appends statements.

One statement is one instrument, one local day, one policy version, one assurance level. Its hours are computed from
the frames of that day's window and from what the registry says, whoever asks and whenever; whether it is provisional
depends on what came after.
"""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from contract import clock
from contract.registry import Instrument
from contract.states import Assurance
from metering.core import daily, statement
from metering.core.daily import Judged
from metering.core.pipeline import RULES_VERSION
from metering.core.spans import Span, clip
from metering.core.tally import Tally, tally
from metering.reading import judge
from storage import statements
from storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours of one instrument over the period asked for.

    Attributes:
        total: as `statement.total`, over exactly the period asked for.
        days: the statement documents of the local days it touches, whole days.
        appended: how many of them were new.
        unread: frames that could not be read, with their reason; they earn nothing.
    """

    instrument: Instrument
    total: dict[str, Any]
    days: list[dict[str, Any]]
    appended: int
    unread: tuple[str, ...]


def run(connection: Connection, instrument: Instrument, asked: Span, level: Assurance = Assurance.SIGNED) -> Hours:
    """Measure an instrument over a period and append the statements of the local days it touches.

    Args:
        connection: to the store; statements are durable when this returns.
        instrument: as the registry names it.
        asked: UTC ms; the total is cut to it, the statements are whole days.
        level: TELEMETRY counts every frame; SIGNED those that earn verified hours.

    Raises:
        StorageError: the store failed.
        ConfigError: a policy in force cannot be read.
    """
    tallies: list[Tally] = []
    documents: list[dict[str, Any]] = []
    unread: list[str] = []
    appended = 0
    # A day at a time: a year of readings does not fit in memory.
    for one in judge(connection, instrument, asked, level):
        tallies += [tally(one.measured, cut) for cut in clip((one.part.period,), asked)]
        documents.append(one.document)
        unread += one.evidence.refused
        appended += _append(connection, instrument, one, level)
    return Hours(
        instrument=instrument,
        total=statement.total(tallies, asked),
        days=documents,
        appended=appended,
        unread=tuple(unread),
    )


def _append(connection: Connection, instrument: Instrument, judged: Judged, level: Assurance) -> bool:
    """Append a statement unless it stands already; one that says otherwise is superseded, never edited."""
    part, document = judged.part, judged.document
    digest = statement.digest(document)
    standing = [
        found.digest
        for found in statements.read(connection, instrument.instrument, *part.period)
        if found.level == level
    ]
    if digest in standing:
        return False
    record = statements.Statement(
        instrument=instrument.instrument,
        day=part.day,
        period_from_ms=part.period[0],
        period_to_ms=part.period[1],
        policy_hash=daily.NO_HASH if part.policy is None else part.policy.content_hash,
        evidence_digest=judged.evidence.digest,
        rules_version=str(RULES_VERSION),
        code_version=version("jishi"),
        provisional=document["provisional"],
        level=level,
        document=document,
        digest=digest,
        supersedes=standing[0] if standing else None,
        decided_at_ms=clock.utc_ms(),
    )
    credited = [
        statements.Interval(from_ms=from_ms, to_ms=to_ms, kind="effective", level=level)
        for from_ms, to_ms in document["intervals_ms"]
    ]
    return statements.append(connection, record, credited)
