"""Step V01: a pack's bytes taken apart, and everything that does not need a frame's content looked at.

Does not: open frames (`chain`).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.errors import JishiError
from contract.ids import StreamId
from metering.core import daily
from metering.core.daily import Part
from metering.core.spans import Span
from metering.verifier import anchor, container, form, policies, rows, text
from metering.verifier.findings import Findings
from metering.verifier.form import Manifest, Registered

_MARK: Final = f'"format":"{form.FORMAT}"'.encode()
_DAY_MS: Final = 86_400_000


class NotAPackError(JishiError):
    """The file is no evidence pack at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack taken apart.

    Attributes:
        frames: members of frames by part and stream, in that order.
        windows: what each part is measured over, UTC ms.
    """

    manifest: Manifest
    known: Registered
    statements: Sequence[Mapping[str, Any]]
    parts: Sequence[Part]
    windows: Sequence[Span]
    frames: Mapping[tuple[int, StreamId], memoryview]
    rivals: memoryview

    @property
    def days(self) -> Span:
        """The whole local days it states."""
        return self.parts[0].period[0], self.parts[-1].period[1]

    @property
    def until_ms(self) -> int:
        """The end of its last window: what was known later does not concern it."""
        return max(to_ms for _, to_ms in self.windows)


def open_pack(raw: bytes, findings: Findings) -> Pack:
    """Take a pack apart.

    Args:
        raw: the file's bytes.
        findings: gets what is wrong.

    Raises:
        NotAPackError: it is no pack.
        RejectedError: it is one, and not in its one legal form.
    """
    findings.checked.add("V01")
    members = _members(raw, findings)
    try:
        manifest = _manifest(members, findings)
        _check_members(manifest, members, findings)
        findings.stop_if_rejected()
        known = form.records(text.loads(members[form.RECORDS], fractions=True))
        for fault in _twice(known):
            findings.add("misplaced", fault)
        policies.check_policies(known.policies, findings)
        # Cutting days at policies that do not hold anyway may take long.
        findings.stop_if_rejected()
        statements = form.statements(text.loads(members[form.STATEMENTS]))
        parts = _parts(known, manifest)
    except ValueError as error:
        raise findings.stop("content", str(error)) from error
    windows = policies.windows(parts, findings)
    frames = {form.frames_place(name): content for name, content in members.items() if name.startswith("frames/")}
    pack = Pack(
        manifest=manifest,
        known=known,
        statements=statements,
        parts=parts,
        windows=windows,
        frames=frames,
        rivals=members[form.RIVALS],
    )
    for fault in _out_of_place(pack):
        findings.add("misplaced", fault)
    return pack


def _members(raw: bytes, findings: Findings) -> Mapping[str, memoryview]:
    if not raw.startswith(container.START) or _MARK not in raw:
        raise NotAPackError("this file is no evidence pack of jishi")
    try:
        return container.read(raw)
    except ValueError as error:
        raise findings.stop("container", str(error)) from error


def _manifest(members: Mapping[str, memoryview], findings: Findings) -> Manifest:
    if form.MANIFEST not in members:
        raise NotAPackError(f"this file is no evidence pack of jishi: it has no {form.MANIFEST}")
    value = text.loads(members[form.MANIFEST])
    if not isinstance(value, dict) or value.get("format") != form.FORMAT:
        raise NotAPackError(f"this file is no evidence pack of jishi: its {form.MANIFEST} is another format's")
    version = value.get("version")
    if version != form.VERSION or type(version) is not int:
        raise findings.stop("version", f"version {version}; this verifier knows {form.VERSION}")
    return form.manifest(value)


def _check_members(manifest: Manifest, members: Mapping[str, memoryview], findings: Findings) -> None:
    needed = {form.RECORDS, form.RIVALS, form.STATEMENTS}
    for name in needed - members.keys():
        findings.add("members", f"{name} is missing")
    for name in members.keys() - needed - {form.MANIFEST}:
        try:
            form.frames_place(name)
        except ValueError as error:
            findings.add("members", str(error))
    found = {name: content for name, content in members.items() if name != form.MANIFEST}
    if [name for name, *_ in manifest.members] != list(found):
        findings.add("members", "the manifest lists other members than there are")
        return
    for name, size, sha in manifest.members:
        if size != len(found[name]) or hashlib.sha256(found[name]).hexdigest() != sha:
            findings.add("members", f"{name} is not what the manifest lists")


def _parts(known: Registered, manifest: Manifest) -> list[Part]:
    if known.instrument.instrument != manifest.instrument:
        raise ValueError("the records are of another instrument than the manifest says")
    if manifest.asked[1] - manifest.asked[0] > form.MAX_PARTS * _DAY_MS:
        raise ValueError(f"more than {form.MAX_PARTS} days")
    try:
        zone = ZoneInfo(known.instrument.time_zone)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"no such time zone: {known.instrument.time_zone}") from error
    parts = list(daily.parts(known.policies, zone, manifest.asked))
    if not 0 < len(parts) <= form.MAX_PARTS:
        raise ValueError(f"{len(parts)} parts of days, at most {form.MAX_PARTS}")
    return parts


def _out_of_place(pack: Pack) -> Iterator[str]:
    """What stands in a pack though nothing needs it, in another order, or with an end nobody could have known."""
    known, name, until = pack.known, pack.manifest.instrument, pack.until_ms
    others = {one.instrument for one in known.bindings} | {one.instrument for one in known.policies}
    for other in (others | {one.instrument for one in known.sessions}) - {name}:
        yield f"a record of {other}"
    if known.keys != anchor.open_at(known.keys, until) or known.bindings != anchor.known_by(known.bindings, until):
        yield "a binding from after the pack's end, or an end of one or of a key that is"
    if known.policies != anchor.known_by(known.policies, pack.days[1]):
        yield "a policy from after the pack's days, or an end that is"
    if any(one.valid_to_ms is not None and one.valid_to_ms <= pack.days[0] for one in known.policies):
        yield "a policy that was in force before the pack's days alone"
    yield from _unsorted(known)
    begin = min(from_ms for from_ms, _ in pack.windows)
    for session in known.sessions:
        if not (session.start_ms < until and session.end_ms > begin and session.start_ms < session.end_ms):
            yield f"session {session.session_id} is empty or touches no day of the pack"
    for part, stream_id in pack.frames:
        if part >= len(pack.parts) or pack.parts[part].policy is None or not pack.frames[part, stream_id]:
            yield f"frames of part {part}, which needs none"


def _twice(known: Registered) -> Iterator[str]:
    """Records under one name: which of them held would be the reader's choice."""
    names: dict[str, list[str]] = {
        "key": [one.kid.hex() for one in known.keys],
        "binding": [str(rows.row(one)) for one in known.bindings],
        "policy": [f"{one.policy_id}@{one.version}" for one in known.policies],
        "session": [one.session_id for one in known.sessions],
    }
    for what, each in names.items():
        for name, count in Counter(each).items():
            if count > 1:
                yield f"{what} {name} stands {count} times"


def _unsorted(known: Registered) -> Iterator[str]:
    orders: Iterable[tuple[str, list[Any], bool]] = (
        ("keys", [one.kid for one in known.keys], True),
        ("bindings", [one.valid_from_ms for one in known.bindings], False),
        ("sessions", [(one.start_ms, one.session_id) for one in known.sessions], True),
    )
    for what, order, unique in orders:
        if order != sorted(order) or (unique and len(set(order)) != len(order)):
            yield f"{what} are not in their order"
