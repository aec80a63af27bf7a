"""The board: what every instrument does at this moment, read from the store once for all who ask.

It is read again when it is older than `poll_s`, by whoever asks first; frames are decoded only where the newest frame
of an instrument, or the registry, has changed.
Does not: know accounts (who asks is shown only what is there for them) or HTTP (`routes.live`).
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from api.current import Doubt, Live, Rules, newest_meter, seen
from contract import clock
from contract.errors import ConfigError
from contract.frame import Meter
from contract.ids import InstrumentId
from contract.registry import Binding, Instrument, Role, covers
from contract.states import ClockState, State
from metering.core.evidence import assemble
from storage import frames, live, registry
from storage.live import Newest
from storage.pool import Connection
from storage.readers import Readers

_TAIL_FRAMES = 5
_AHEAD_MS = 600_000
"""A clock that is so far ahead is wrong."""
_STREAMS_LOOKED_AT = 3
"""Of an instrument, the newest first: an older one is looked at only where the newer is of another meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One place on the board: an instrument, and what it does at this moment.

    Attributes:
        changed: the version of the board at which it last changed, its age aside.
    """

    instrument: Instrument
    live: Live
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The board as it was read.

    Attributes:
        version: rises whenever a card changed.
    """

    version: int
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What was read of one instrument, and from which newest frames."""

    newest: tuple[Newest, ...]
    live: Live


class Board:
    """For use by any number of threads.

    Attributes:
        epoch: names this board: versions of another one mean nothing here.
    """

    def __init__(self, readers: Readers, poll_s: float) -> None:
        self.epoch = f"{clock.utc_ms():x}"
        self._readers, self._poll_s = readers, poll_s
        self._lock = threading.Lock()
        self._read_s: float | None = None
        self._revision = -1
        self._instruments: tuple[Instrument, ...] = ()
        self._known: dict[InstrumentId, _Known] = {}
        self.last = Shown(version=0, cards=())

    def shown(self) -> Shown:
        """The board, not older than `poll_s`.

        Raises:
            StorageError: the database failed.
        """
        with self._lock:
            now_s = clock.elapsed_s()
            if self._read_s is None or now_s >= self._read_s + self._poll_s:
                with self._readers.reading() as connection:
                    self._read(connection)
                self.last = self._laid_out(clock.utc_ms())
                self._read_s = now_s
            return self.last

    def _read(self, connection: Connection) -> None:
        revision = registry.revision(connection)
        found = {name: tuple(newest) for name, newest in groupby(live.newest(connection), lambda one: one.instrument)}
        if revision != self._revision:
            self._instruments, self._known = registry.instruments(connection), {}
        for one in self._instruments:
            newest, known = found.get(one.instrument, ()), self._known.get(one.instrument)
            if known is None or known.newest != newest:
                self._known[one.instrument] = _Known(newest=newest, live=_live(connection, newest))
        # Only now: after an error the next reading begins again.
        self._revision = revision

    def _laid_out(self, now_ms: int) -> Shown:
        lives = {name: known.live for name, known in self._known.items()}
        before = {card.instrument.instrument: card for card in self.last.cards}
        aged = {name: _aged(one, _now_of(one, lives, now_ms)) for name, one in lives.items()}
        version = self.last.version + 1
        cards = tuple(
            Card(
                instrument=one,
                live=aged[one.instrument],
                changed=_changed(one, aged[one.instrument], before.get(one.instrument), version),
            )
            for one in self._instruments
        )
        moved = len(cards) != len(before) or any(card.changed == version for card in cards)
        return Shown(version=version if moved else self.last.version, cards=cards)


def _changed(instrument: Instrument, now: Live, before: Card | None, version: int) -> int:
    """The version at which a card last changed; that time passes is no change."""
    if before and before.instrument == instrument and replace(before.live, age_ms=now.age_ms) == now:
        return before.changed
    return version


def _live(connection: Connection, newest: tuple[Newest, ...]) -> Live:
    """What an instrument does, by the newest stream of a meter of its own; without one, by the newest."""
    result = Live()
    for at, one in enumerate(newest[:_STREAMS_LOOKED_AT]):
        found = _live_of(connection, one)
        result = found if at == 0 or found.doubt is not Doubt.OTHER_METER else result
        if found.doubt is not Doubt.OTHER_METER:
            break
    return result


def _live_of(connection: Connection, newest: Newest) -> Live:
    tail = assemble(live.tail(connection, newest.stream_id, _TAIL_FRAMES))
    if not tail.links:
        return Live(doubt=Doubt.EQUIVOCATED, received_at_ms=newest.received_at_ms)
    name, at_ms = newest.instrument, newest.end_ms
    policies = registry.policies(connection, name, at_ms, at_ms + 1)
    meter = newest_meter(tail)
    own = {meter} if meter and _is_own(meter, registry.bindings(connection, name), at_ms) else set()
    rules = Rules(
        policy=policies[0] if policies else None,
        cut=frames.equivocated(connection, name).get(newest.stream_id),
        own=frozenset(own),
    )
    try:
        return seen(tail, rules, newest.received_at_ms)
    except ConfigError:
        return seen(tail, replace(rules, policy=None), newest.received_at_ms)


def _is_own(meter: Meter, bindings: tuple[Binding, ...], at_ms: int) -> bool:
    identity = (meter.model, meter.serial, meter.ct_primary_a, meter.ct_secondary_a)
    return any(
        one.role is Role.SOLE
        and covers(one.valid_from_ms, one.valid_to_ms, at_ms)
        and identity == (one.meter_model, one.meter_serial, one.ct_primary_a, one.ct_secondary_a)
        for one in bindings
    )


def _now_of(one: Live, lives: Mapping[InstrumentId, Live], now_ms: int) -> int:
    """The moment that an age counts to: simulated time stands still where nobody simulates."""
    if one.clock is not ClockState.SIMULATED:
        return now_ms
    return max(other.taken_at_ms or 0 for other in lives.values() if other.clock is ClockState.SIMULATED)


def _aged(one: Live, now_ms: int) -> Live:
    """With its age; UNKNOWN once it is stale."""
    if one.taken_at_ms is None or one.fresh_ms is None:
        return one
    # A clock that was never set may say anything: what such a gateway took is as old as what was heard of it.
    since_ms = one.received_at_ms if one.clock is ClockState.UNSYNCHRONISED else None
    age_ms = now_ms - (one.taken_at_ms if since_ms is None else since_ms)
    if age_ms < -_AHEAD_MS:
        return replace(one, age_ms=None, state=State.UNKNOWN, doubt=one.doubt or Doubt.FUTURE)
    if age_ms <= one.fresh_ms or one.doubt is not None:
        return replace(one, age_ms=age_ms)
    return replace(one, age_ms=age_ms, state=State.UNKNOWN, doubt=Doubt.STALE)
