"""One try at a batch: messages are entered in order, and nothing counts before the database has committed it.

Does not: do I/O.
"""

from collections import Counter
from dataclasses import dataclass, field

from collector import admission
from collector.admission import Frame, Outcome, Verdict
from collector.subscriber import Message
from contract.errors import EvidenceError
from contract.ids import GatewayId, StreamId
from storage.records import Batch, Head, Place, Quarantined, StoredFrame


@dataclass(slots=True, kw_only=True)
class Attempt:
    """A batch in the making.

    Attributes:
        heads: of the streams that the batch names, as committed; they move as messages are entered.
        known: hashes in custody under the places that the batch names.
        verdicts: one for each message, in order.
        heard: how many frames of each gateway are in custody by this batch, new or again.
    """

    batch: Batch
    heads: dict[StreamId, Head]
    known: dict[tuple[StreamId, int], set[bytes]]
    verdicts: list[tuple[Message, Verdict]] = field(default_factory=list)
    heard: Counter[GatewayId] = field(default_factory=Counter)

    def enter(self, message: Message, examined: Frame | EvidenceError) -> None:
        """Decide what becomes of one message."""
        if isinstance(examined, EvidenceError):
            verdict, place = admission.refused(examined, authentic=False), None
        else:
            verdict, place = self._place(examined)
        self.verdicts.append((message, verdict))
        if verdict.outcome is Outcome.DUPLICATE:
            self.batch.duplicate += 1
        elif isinstance(examined, Frame) and examined.content and place and verdict.outcome is Outcome.STORED:
            self.batch.frames.append(
                StoredFrame(
                    place=place,
                    frame_hash=examined.sealed.frame_hash,
                    prev_hash=examined.sealed.envelope.prev_hash,
                    content=examined.content,
                    received_at_ms=message.received_at_ms,
                    raw=message.raw,
                )
            )
        elif verdict.reason:
            self.batch.quarantined.append(
                Quarantined(
                    reason=verdict.reason,
                    detail=verdict.detail,
                    topic=message.topic,
                    received_at_ms=message.received_at_ms,
                    place=place,
                    raw=message.raw,
                )
            )

    def is_balanced(self) -> bool:
        """Whether each message received has exactly one outcome."""
        batch = self.batch
        return batch.received == len(batch.frames) + batch.duplicate + len(batch.quarantined)

    def _place(self, frame: Frame) -> tuple[Verdict, Place | None]:
        stream, seq = frame.sealed.envelope.stream_id, frame.sealed.envelope.seq
        known = self.known.setdefault((stream, seq), set())
        before = self.heads.get(stream)
        verdict, after = admission.place(frame, before, known)
        if not verdict.authentic:
            return verdict, None
        known.add(frame.sealed.frame_hash)
        self.heard[frame.key.gateway] += 1
        if after is not before:
            self.heads[stream] = self.batch.heads[stream] = after
        return verdict, Place(gateway=frame.key.gateway, stream_id=stream, seq=seq)
