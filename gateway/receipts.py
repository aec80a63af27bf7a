"""Which receipts are believed. Only what is believed here ever makes a frame deletable.

Checked in this order: signature by the pinned key, this gateway, an epoch that was not left, a counter that rises
within it; then for each stream: known here, hash of frame `upto` our own, `upto` not fallen within the epoch. The
retained receipt comes again at each connection; the very same bytes are believed again.

Custody ends with its epoch: of a stream that the first receipt of a new one does not give, nothing is held any more.
"""

import structlog

from contract import receipt, seal
from contract.errors import EvidenceError
from contract.ids import GatewayId, StreamId
from contract.receipt import Custody, Receipt
from gateway.report import Report
from gateway.spool import Spool, Stream

log = structlog.get_logger()


class Receipts:
    """Judges receipts against the pinned key, the spool and the last one believed."""

    def __init__(self, spool: Spool, gateway: GatewayId, public_key: bytes, report: Report) -> None:
        self._spool, self._gateway, self._report = spool, gateway, report
        self._kid, self._key = seal.key_id(public_key), seal.load_public_key(public_key)
        self._refused: set[str] = set()

    def last(self) -> tuple[Custody, ...]:
        """What the last receipt of an earlier process gave, of streams that are here."""
        kept = self._spool.receipts()
        heard = self._kept(kept[-1][1]) if kept else None
        known = {stream.stream_id: stream.upto for stream in self._spool.streams()}
        return tuple(c for c in heard.streams if known.get(c.stream_id) == c.upto) if heard else ()

    def hear(self, raw: bytes) -> tuple[Custody, ...]:
        """The custody that a received message gives; empty where it is not believed, and then the alarm is raised.

        What is believed is durable when this returns.

        Raises:
            StorageError: it could not be kept; nothing is deleted on its account.
        """
        try:
            heard = receipt.open_receipt(raw, self._kid, self._key)
        except EvidenceError as error:
            self._refuse(str(error))
            return ()
        if refusal := self._refusal(heard, raw):
            self._refuse(refusal)
            return ()
        left = {epoch for epoch, _ in self._spool.receipts()}
        believed = self._believed(heard, new_epoch=heard.store_epoch not in left)
        self._spool.keep_receipt(heard.store_epoch, raw, {custody.stream_id: custody.upto for custody in believed})
        self._report.receipts += 1
        return believed

    def _refusal(self, heard: Receipt, raw: bytes) -> str | None:
        if heard.gateway != self._gateway:
            return f"it is for gateway {heard.gateway}"
        kept = self._spool.receipts()
        if not kept or heard.store_epoch not in {epoch for epoch, _ in kept}:
            return None
        epoch, last_raw = kept[-1]
        if heard.store_epoch != epoch:
            return "its store epoch was left for a newer one"
        last = self._kept(last_raw)
        if raw != last_raw and last is not None and heard.counter <= last.counter:
            return "its counter does not rise"
        return None

    def _kept(self, raw: bytes) -> Receipt | None:
        """A receipt of the spool; None where the collector has another key since."""
        try:
            return receipt.open_receipt(raw, self._kid, self._key)
        except EvidenceError:
            return None

    def _believed(self, heard: Receipt, *, new_epoch: bool) -> tuple[Custody, ...]:
        known = {stream.stream_id: stream for stream in self._spool.streams()}
        believed = []
        for custody in heard.streams:
            refusal = self._stream_refusal(custody, known.get(custody.stream_id), new_epoch=new_epoch)
            if refusal:
                self._refuse(f"stream {custody.stream_id.hex()}: {refusal}")
            else:
                believed.append(custody)
        if new_epoch:
            given = {custody.stream_id for custody in believed}
            believed += [_nothing_of(stream) for stream in known if stream not in given]
        return tuple(believed)

    def _stream_refusal(self, custody: Custody, stream: Stream | None, *, new_epoch: bool) -> str | None:
        if stream is None:
            return "it is not a stream of this spool"
        if custody.upto >= 0 and custody.frame_hash != self._own_hash(custody.stream_id, custody.upto):
            return f"the hash of frame {custody.upto} is not that of ours: two gateways may share a copied spool"
        if custody.upto < stream.upto and not new_epoch:
            return f"custody fell from {stream.upto} to {custody.upto} without a new store epoch"
        return None

    def _own_hash(self, stream_id: StreamId, seq: int) -> bytes | None:
        raw = self._spool.frame(stream_id, seq)
        return seal.frame_hash(raw) if raw is not None else None

    def _refuse(self, why: str) -> None:
        self._report.alarms += 1
        if why not in self._refused:
            self._refused.add(why)
            log.warning("receipt not believed", why=why)


def _nothing_of(stream_id: StreamId) -> Custody:
    return Custody(stream_id=stream_id, upto=-1, frame_hash=bytes(32))
