"""The numbered steps in their order: bytes, a register of trust and a time in, a report out.

Signatures and links are settled over envelopes before any payload is decoded.
Does not: read files, ask for the time, or print (`cli`).
"""

from collections.abc import Iterator
from typing import Final

from contract.ids import StreamId
from contract.registry import Role
from metering.verifier import form, rivals
from metering.verifier.anchor import Anchor, compare
from metering.verifier.chain import Chains
from metering.verifier.contents import own_clash
from metering.verifier.findings import Findings, RejectedError
from metering.verifier.opening import Pack, open_pack
from metering.verifier.progress import PHASES, Progress
from metering.verifier.recompute import Recomputing
from metering.verifier.report import Hours, Report

_PLACE_BITS: Final = 32


def verify(raw: bytes, anchor: Anchor | None, now_ms: int, progress: Progress = lambda _done, _whole: None) -> Report:
    """Verify a pack.

    Args:
        raw: the file's bytes.
        anchor: the register of trust; without one keys, policies and bindings are the pack's own word.
        now_ms: the present, UTC.
        progress: called now and then.

    Raises:
        NotAPackError: it is no pack.
    """
    findings = Findings()
    pack: Pack | None = None
    hours: Hours | None = None
    try:
        pack = open_pack(raw, findings)
        findings.stop_if_rejected()
        _check_bindings(pack, findings)
        if anchor is not None:
            compare(pack.known, anchor, pack.days, pack.until_ms, findings)
        findings.stop_if_rejected()
        cut = _check_chains(pack, findings, progress)
        findings.stop_if_rejected()
        hours = Recomputing(pack, cut, now_ms, findings).run(progress)
    except RejectedError:
        pass
    return Report(pack=pack, hours=hours, findings=findings, anchored=anchor is not None)


def _check_bindings(pack: Pack, findings: Findings) -> None:
    """Step V14: an instrument has one meter of its own at a time."""
    findings.checked.add("V14")
    own = [one for one in pack.known.bindings if one.role is Role.SOLE]
    if clash := own_clash(own):
        names = " and ".join(f"{one.meter_model} {one.meter_serial}" for one in clash)
        findings.add("binding-clash", f"{names} are its own meters at once")


def _check_chains(pack: Pack, findings: Findings, progress: Progress) -> dict[StreamId, int]:
    """Steps V02 to V05; returns the seq from which a stream is not believed."""
    findings.checked |= {"V02", "V03", "V04", "V05"}
    keys = {key.kid: key for key in pack.known.keys}
    chains = Chains(keys, findings)
    members = list(pack.frames.items())
    count = 0
    for number, ((_, stream_id), content) in enumerate(members):
        for at, raw in _items(content, findings):
            chains.add(raw, stream_id, number << _PLACE_BITS | at)
            count += 1
        _at_most("frames", count, form.MAX_FRAMES, findings)
        findings.stop_if_rejected()
        progress(number, PHASES * len(members))
    for place in chains.judge():
        number, at = divmod(place, 1 << _PLACE_BITS)
        chains.verify(next(form.items(members[number][1], at))[1])
    cut = rivals.cut_by([raw for _, raw in _items(pack.rivals, findings)], keys, chains, findings)
    for kid in chains.unused():
        findings.add("misplaced", f"key {kid.hex()} signed no frame of the pack")
    return cut


def _at_most(what: str, count: int, most: int, findings: Findings) -> None:
    try:
        form.at_most(what, count, most)
    except ValueError as error:
        raise findings.stop("too-large", str(error)) from error


def _items(content: memoryview, findings: Findings) -> Iterator[tuple[int, bytes]]:
    try:
        yield from form.items(content)
    except ValueError as error:
        raise findings.stop("content", str(error)) from error
