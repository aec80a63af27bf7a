"""Equivocation: two different frames that one gateway signed for one place of a stream. Part of step V05."""

from typing import Final

from contract.ids import KeyId, StreamId
from contract.registry import GatewayKey
from metering.verifier.chain import Chains
from metering.verifier.findings import Findings

_PAIR: Final = 2


def cut_by(
    rivals: list[bytes], keys: dict[KeyId, GatewayKey], chains: Chains, findings: Findings
) -> dict[StreamId, int]:
    """The seq from which a stream is not believed, for each stream with equivocation.

    Args:
        rivals: frames, two of each such stream, by stream, then hash.
        keys: by id.
        chains: of the pack's frames, judged.
        findings: gets what is wrong.
    """
    cut: dict[StreamId, int] = {}
    for one, other in zip(rivals[::_PAIR], rivals[1::_PAIR], strict=False):
        pair = [sealed for raw in (one, other) if (sealed := chains.verify(raw)) is not None]
        places = {(sealed.envelope.stream_id, sealed.envelope.seq) for sealed in pair}
        hashes = [sealed.frame_hash for sealed in pair]
        if len(hashes) != _PAIR or hashes[0] >= hashes[1] or len(places) != 1:
            findings.add("rivals", "two frames are no two frames of one place, or not in their order")
            continue
        ((stream_id, seq),) = places
        if {keys[sealed.envelope.kid].gateway for sealed in pair} != chains.gateways.get(stream_id):
            findings.add("rivals", f"stream {stream_id.hex()} is not in the pack, or another gateway's")
        elif seq > chains.highest(stream_id):
            findings.add("rivals", f"stream {stream_id.hex()}: frame {seq} is after all that the pack holds")
        if cut and stream_id <= max(cut):
            findings.add("rivals", f"stream {stream_id.hex()} stands twice or out of order")
        cut[stream_id] = seq
        findings.add("equivocation", f"stream {stream_id.hex()}, from frame {seq} on")
    if len(rivals) % _PAIR:
        findings.add("rivals", "an odd number of frames")
    return cut
