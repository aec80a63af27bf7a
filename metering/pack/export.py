"""Packs and the register of trust, from the store.

The hours of a pack are those that stand: they are measured and appended as by `jishi hours run`, and the pack is read
in the same moment of the database.
"""

from collections.abc import Callable, Iterator
from importlib.metadata import version

from contract.registry import Instrument
from contract.states import Assurance
from metering import job, reading
from metering.core.spans import Span
from metering.pack.assemble import Content, Stored, assemble
from metering.verifier.anchor import Anchor
from metering.verifier.form import LEVELS
from storage import frames, registry
from storage.pool import Connection

_EVER = -(1 << 62), 1 << 62


def export(
    connection: Connection,
    instrument: Instrument,
    asked: Span,
    write: Callable[[bytes], object],
    level: Assurance = Assurance.SIGNED,
    by: str = "",
) -> int:
    """Write the pack of an instrument and a period; returns how many frames it holds.

    Args:
        connection: to the store; statements that were not there yet are durable when this returns.
        instrument: as the registry names it.
        asked: UTC ms; the pack states the whole local days it touches.
        write: takes the pack's bytes, piece by piece.
        level: of the headline; the pack states both.
        by: who exports it, for people.

    Raises:
        StorageError: the store failed, or somebody else measured the same days meanwhile: try again.
        ConfigError: a policy in force cannot be read, or the period is too long for one pack.
    """
    name = instrument.instrument

    def frames_of(span: Span) -> Iterator[Stored]:
        for stream_id, begin_ms, end_ms, raw in frames.placed(connection, name, *span):
            yield Stored(stream_id=stream_id, begin_ms=begin_ms, end_ms=end_ms, raw=raw)

    with frames.moment(connection):
        content = _content(connection, instrument, asked, level, by)
        return assemble(content, frames_of, lambda: frames.rivals(connection, name), write)


def _content(connection: Connection, instrument: Instrument, asked: Span, level: Assurance, by: str) -> Content:
    stated = {one: job.run(connection, instrument, asked, one) for one in LEVELS}
    known, parts = reading.records(connection, instrument), reading.parts(connection, instrument, asked)
    policies = [part.policy for part in parts if part.policy is not None]
    return Content(
        instrument=instrument,
        asked=asked,
        level=level,
        simulation=known.simulation,
        keys={key.kid: key for key in frames.signers(connection, instrument.instrument)},
        bindings=known.bindings,
        policies=[one for at, one in enumerate(policies) if one not in policies[:at]],
        sessions=known.sessions,
        parts=parts,
        statements=[stated[one].days[at] for at in range(len(parts)) for one in LEVELS],
        totals={one: stated[one].total for one in LEVELS},
        by=by,
        code_version=version("jishi"),
    )


def trust(connection: Connection, instruments: tuple[Instrument, ...]) -> Anchor:
    """The register of trust of some instruments: their policies and bindings, and the keys of their gateways.

    Raises:
        StorageError: the store failed.
    """
    known = registry.snapshot(connection)
    names = sorted(one.instrument for one in instruments)
    bindings = [one for name in names for one in registry.bindings(connection, name)]
    gateways = {one.gateway for one in bindings}
    return Anchor(
        simulation=known.simulation,
        instruments=tuple(sorted(instruments, key=lambda one: one.instrument)),
        keys=tuple(sorted((one for one in known.keys.values() if one.gateway in gateways), key=lambda one: one.kid)),
        bindings=tuple(bindings),
        policies=tuple(one for name in names for one in registry.policies(connection, name, *_EVER)),
    )
