"""The one ordered function for effects: admit each message in order, store the batch, then let the caller acknowledge.

One transaction holds everything a batch changes. When `take` returns, all of it is durable; a process killed before
that has acknowledged nothing, so that the broker sends it again, and one killed after it sees duplicates.

Does not: speak to the broker.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from collector import admission, chain
from collector.admission import Frame
from collector.attempt import Attempt
from collector.subscriber import Message
from contract.errors import EvidenceError, Reason, StorageError
from contract.ids import GatewayId
from contract.registry import Registry
from storage.intake import Intake
from storage.records import Batch, HeadsMovedError

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 30.0
_ALARMS: Final = {Reason.EQUIVOCATION, Reason.OFF_CHAIN, Reason.NOT_STORABLE}

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A batch of messages, and what can be said of each by itself.

    Attributes:
        registry: the one they were examined by; under another one they MUST be examined again. None: not examined.
    """

    messages: Sequence[Message]
    registry: Registry | None = None
    found: Sequence[Frame | EvidenceError] = ()


class Sink:
    """Stores batches, one after the other. `examine` MAY run beside `take`; everything else belongs to one thread.

    Attributes:
        counts: since the start: `received`, each `Outcome`, each `Reason`.
    """

    def __init__(self, intake: Intake, wait: Callable[[float], bool]) -> None:
        """A sink; `wait` sleeps for so many seconds and says True when it is time to leave."""
        self._intake, self._wait = intake, wait
        self._registry: Registry | None = None
        self.counts: Counter[str] = Counter()

    def examine(self, messages: Sequence[Message]) -> Examined:
        """Look at a batch by the registry of the last one, while that is being stored. Touches no database."""
        registry = self._registry
        if registry is None:
            return Examined(messages=messages)
        return Examined(messages=messages, registry=registry, found=[_examine(one, registry) for one in messages])

    def take(self, messages: Sequence[Message], ahead: Examined | None = None) -> Counter[GatewayId]:
        """Store a batch: when this returns, every message in it is stored, known already or quarantined, durably.

        Args:
            messages: the batch.
            ahead: what `examine` said of it; looked at anew where the registry has changed since.

        Returns:
            How many frames of each gateway are in custody by this batch, new or again.

        Raises:
            StorageError: it was time to leave before the batch could be stored; nothing of it MAY be acknowledged.
        """
        unstorable: EvidenceError | None = None
        failures = 0
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return self._try(messages, unstorable, ahead)
            except HeadsMovedError as error:
                _log.warning("another collector was first", detail=str(error))
                if self._wait(0):
                    raise
            except EvidenceError as error:
                if len(messages) > 1:
                    middle = len(messages) // 2
                    return self.take(messages[:middle]) + self.take(messages[middle:])
                # Once more from fresh caches; then without its content; what fails even so is no fault of the frame.
                failures += 1
                if failures > 1:
                    unstorable = unstorable or error
                if failures > 2:  # noqa: PLR2004 - the third of the steps above
                    pause_s = self._paused(pause_s, StorageError(str(error)))
            except StorageError as error:
                pause_s = self._paused(pause_s, error)

    def _paused(self, pause_s: float, error: StorageError) -> float:
        """Wait before the next try; returns how long to wait the time after."""
        _log.error("storage failed, nothing is acknowledged", detail=str(error), pause_s=pause_s)
        if self._wait(pause_s):
            raise error
        return min(2 * pause_s, _LONGEST_PAUSE_S)

    def _try(
        self, messages: Sequence[Message], unstorable: EvidenceError | None, ahead: Examined | None
    ) -> Counter[GatewayId]:
        registry = self._registry = self._intake.registry()
        examined: Sequence[Frame | EvidenceError]
        if ahead and ahead.registry is registry and not unstorable:
            examined = ahead.found
        else:
            examined = [_examine(one, registry, unstorable) for one in messages]
        attempt = self._begin(len(messages), [one for one in examined if isinstance(one, Frame)])
        for message, one in zip(messages, examined, strict=True):
            attempt.enter(message, one)
        self._intake.store(attempt.batch)
        self._account(attempt)
        return attempt.heard

    def _begin(self, received: int, frames: Sequence[Frame]) -> Attempt:
        places = {(frame.sealed.envelope.stream_id, frame.sealed.envelope.seq) for frame in frames}
        heads = self._intake.heads({stream for stream, _ in places})
        taken = [(stream, seq) for stream, seq in places if stream in heads and chain.holds(heads[stream], seq)]
        return Attempt(batch=Batch(received=received), heads=heads, known=self._intake.known(taken))

    def _account(self, attempt: Attempt) -> None:
        self.counts["received"] += attempt.batch.received
        for message, verdict in attempt.verdicts:
            self.counts[verdict.outcome] += 1
            if verdict.reason:
                self.counts[verdict.reason] += 1
                say = _log.error if verdict.reason in _ALARMS else _log.warning
                say("quarantined", topic=message.topic, detail=verdict.detail)
        if not attempt.is_balanced():
            _log.error("the books do not balance", received=attempt.batch.received, counts=dict(self.counts))


def _examine(message: Message, registry: Registry, unstorable: EvidenceError | None = None) -> Frame | EvidenceError:
    """What can be said of a message by itself. A fault of ours in one frame MUST NOT stall the others."""
    try:
        frame = admission.authenticate(message.raw, message.topic, registry)
    except EvidenceError as error:
        return error
    except Exception as error:  # noqa: BLE001 - the outermost edge of one message's way: counted and logged
        return _unexpected(message, error)
    if unstorable:
        return replace(frame, fault=unstorable)
    try:
        return admission.judge(frame, message.received_at_ms, registry)
    except Exception as error:  # noqa: BLE001 - as above; it is authentic and keeps its place
        return replace(frame, fault=_unexpected(message, error))


def _unexpected(message: Message, error: Exception) -> EvidenceError:
    _log.error("admission failed", topic=message.topic, exc_info=error)
    return EvidenceError(Reason.MALFORMED, f"unexpected {error!r}")
