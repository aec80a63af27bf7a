"""Changed packs, by the hundred: each is refused with a fitting code, or is shown to change nothing that counts.

A forger here puts every hash of the container right again, so that it is the step itself that must notice. What a
laboratory can do that signs and states anew what never was is not here: no verifier of one pack can tell.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any

import forging
import packs
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from evidence import Gateway, Stream
from packs import ALPHA, ASKED, NOW_MS, Lab, lab

from contract import seal
from contract.registry import rules_hash
from contract.usage import Party
from metering.verifier import form
from metering.verifier.opening import NotAPackError
from metering.verifier.report import Report, Verdict
from metering.verifier.verify import verify

COUNT = 560
OF_MEMBER = {
    form.MANIFEST: ("V01", "V12"),
    form.RECORDS: ("V01", "V03", "V11", "V12", "V14"),
    form.RIVALS: ("V01", "V02", "V04", "V05"),
    form.STATEMENTS: ("V01", "V12", "V13", "V16"),
}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A changed pack, what was done to it, and the codes one of which must name it."""

    what: str
    pack: bytes
    codes: frozenset[str]


@cache
def honest() -> Lab:
    """With a gap and an equivocation near its end, so that there is something of everything."""
    made = lab(packs.with_gap)
    twin = Stream(gateway=ALPHA, frames=made.streams[0][:45])
    twin.add(packs.hour(ALPHA, ASKED[0]))
    return replace(made, rivals=[made.streams[0][45], twin.frames[45]])


@cache
def pack() -> bytes:
    return honest().pack()


@cache
def other_pack() -> bytes:
    """Of another instrument, busier in the night."""
    beta = Gateway(name="beta")
    other = Lab(gateway=beta, streams=[packs.stream(beta)], keys=[beta.gateway_key()], bindings=[beta.binding()])
    other.policies, other.sessions = [packs.policy(1, ASKED[0] - 1_000_000, None, beta)], []
    return other.pack()


def one(what: str, changed: bytes, *codes: str) -> Iterator[Mutant]:
    yield Mutant(what=what, pack=changed, codes=frozenset(codes))


def flipped(raw: bytes, random: Random) -> bytes:
    at = random.randrange(len(raw))
    return raw[:at] + bytes((raw[at] ^ 1 << random.randrange(8),)) + raw[at + 1 :]


def anywhere(random: Random) -> Iterator[Mutant]:
    yield from one("a bit of the file", flipped(pack(), random), "V01")


def in_a_member(random: Random) -> Iterator[Mutant]:
    found = forging.members(pack())
    name = random.choice(sorted(found))
    found[name] = flipped(found[name], random)
    changed = forging.zipped(found) if name == form.MANIFEST else forging.repacked(found)
    yield from one(f"a bit of {name}", changed, *OF_MEMBER.get(name, ("V01", "V02", "V04", "V05")))


def in_frames(random: Random) -> Iterator[Mutant]:
    act = random.choice(FRAME_ACTS)
    name = random.choice([name for name in forging.members(pack()) if name.startswith("frames/")])

    def edit(here: str, frames: list[bytes]) -> list[bytes]:
        return act(list(frames), random) if here == name else frames

    yield from one(f"{act.__name__} in {name}", forging.reframed(pack(), edit), "V01", "V02", "V04", "V05", "V12")


def drop(frames: list[bytes], random: Random) -> list[bytes]:
    frames.pop(random.randrange(len(frames)))
    return frames


def swap(frames: list[bytes], random: Random) -> list[bytes]:
    assert len(frames) > 1
    at = random.randrange(len(frames) - 1)
    frames[at : at + 2] = frames[at + 1], frames[at]
    return frames


def repeat(frames: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(frames))
    return [*frames[:at], frames[at], *frames[at:]]


def cut_off(frames: list[bytes], random: Random) -> list[bytes]:
    return frames[: random.randrange(len(frames))]


def shorten(frames: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(frames))
    frames[at] = frames[at][: random.randrange(len(frames[at]))]
    return frames


def splice(frames: list[bytes], random: Random) -> list[bytes]:
    theirs = forging.members(other_pack())
    name = random.choice([name for name in theirs if name.startswith("frames/")])
    frames[random.randrange(len(frames))] = random.choice([raw for _, raw in form.items(memoryview(theirs[name]))])
    return frames


def resign(frames: list[bytes], random: Random) -> list[bytes]:
    """The same content under a key of the forger's own that says it is the gateway's."""
    at = random.randrange(len(frames))
    sealed = seal.open_frame(frames[at])
    frames[at] = seal.sign(sealed.protected, sealed.payload, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    return frames


FRAME_ACTS: list[Callable[[list[bytes], Random], list[bytes]]] = [
    drop, swap, repeat, cut_off, shorten, splice, resign,
]  # fmt: skip


def of_a_threshold(random: Random) -> Iterator[Mutant]:
    limit, hashed = random.choice((60.0, 130.0, 139.9, 401.0)), random.random() < 0.5

    def edit(said: dict[str, Any]) -> None:
        policy = random.choice(said["policies"])
        policy["rules"]["enter_w"] = policy["rules"]["leave_w"] = limit
        if hashed:
            policy["content_hash"] = rules_hash(policy["rules"]).hex()

    yield from one("a threshold", forging.edited(pack(), form.RECORDS, edit), "V11")


def of_a_threshold_stated_anew(random: Random) -> Iterator[Mutant]:
    limit = random.choice((60.0, 70.0, 79.0))
    lax = [packs.policy(one.version, one.valid_from_ms, one.valid_to_ms, enter_w=limit, leave_w=limit)
           for one in honest().policies]  # fmt: skip
    yield from one("a threshold, stated anew", replace(honest(), policies=lax).pack(), "V11")


def of_a_record(random: Random) -> Iterator[Mutant]:
    """A number or word of a session, key, binding or policy: nothing is stated anew."""
    kind = random.choice(("sessions", "keys", "bindings", "policies", "instrument", "simulation"))

    def edit(said: dict[str, Any]) -> None:
        if kind == "simulation":
            said[kind] = not said[kind]
            return
        row = said[kind] if kind == "instrument" else random.choice(said[kind])
        name = random.choice([name for name in row if name != "rules"])
        row[name] = _other(name, row[name], random)

    yield from one(f"a field of {kind}", forging.edited(pack(), form.RECORDS, edit), "V01", "V03", "V11", "V12", "V14")


def _other(name: str, value: object, random: Random) -> object:
    if name == "party":
        return random.choice([party.value for party in Party if party.value != value])
    if name == "role":
        return "shared"
    if isinstance(value, int):
        return value + random.choice((-3_600_000, -1, 1, 3_600_000))
    return (
        random.randrange(ASKED[0], ASKED[1]) if value is None else f"{value}"[:-1] + "0" if name in HEX else f"{value}x"
    )


HEX = {"kid", "public_key", "content_hash"}


def of_a_binding_stated_anew(random: Random) -> Iterator[Mutant]:
    shift = random.randrange(1, 8_000_000_000)
    bindings = [replace(each, valid_from_ms=each.valid_from_ms - shift) for each in honest().bindings]
    yield from one("a binding, stated anew", replace(honest(), bindings=bindings).pack(), "V14")


def of_a_statement(random: Random) -> Iterator[Mutant]:
    def edit(said: list[dict[str, Any]]) -> None:
        found = random.choice(said)
        name = random.choice([name for name in found if name != "provisional"])
        found[name] = _changed(found[name], random)

    yield from one("a statement", forging.edited(pack(), form.STATEMENTS, edit), "V12")


def of_a_total(random: Random) -> Iterator[Mutant]:
    def edit(said: dict[str, Any]) -> None:
        found = random.choice(list(said["totals"].values()))
        name = random.choice(list(found))
        found[name] = _changed(found[name], random)

    yield from one("a total", forging.edited(pack(), form.MANIFEST, edit), "V12")


def of_what_is_asked(random: Random) -> Iterator[Mutant]:
    def edit(said: dict[str, Any]) -> None:
        said["asked_ms"][random.randrange(2)] += random.choice((-86_400_000, -3_600_000, -1, 1, 3_600_000, 86_400_000))

    yield from one("the period", forging.edited(pack(), form.MANIFEST, edit), "V01", "V12")


def _changed(value: Any, random: Random) -> Any:  # noqa: ANN401 - JSON is whatever it is
    match value:
        case bool():
            return not value
        case int():
            return value + random.choice((-3_600_000, -1, 1, 3_600_000))
        case str():
            return value + "0"
        case dict():
            name = random.choice(list(value))
            return {**value, name: _changed(value[name], random)}
        case list() if value:
            return [*value[:-1], _changed(value[-1], random)]
    return [value]


FAMILIES = (
    (anywhere, 190), (in_a_member, 90), (in_frames, 100), (of_a_threshold, 20), (of_a_threshold_stated_anew, 5),
    (of_a_record, 60), (of_a_binding_stated_anew, 5), (of_a_statement, 50), (of_a_total, 25), (of_what_is_asked, 15),
)  # fmt: skip


def verdict_on(changed: bytes) -> Report | None:
    try:
        return verify(changed, honest().trust(), NOW_MS)
    except NotAPackError:
        return None


def counts_the_same(changed: bytes) -> bool:
    """Whether the only difference is in what a pack claims for people: who made it and by which program."""
    ours, theirs = forging.members(pack()), forging.members(changed)
    said, told = (json.loads(each.pop(form.MANIFEST)) for each in (ours, theirs))
    return ours == theirs and said.pop("made_by") != told.pop("made_by") and said == told


@pytest.mark.parametrize(("family", "count"), FAMILIES, ids=lambda one: getattr(one, "__name__", ""))
def test_every_change_is_refused_with_a_fitting_code(family: Callable[[Random], Iterator[Mutant]], count: int) -> None:
    survivors = []
    for seed in range(count):
        for mutant in family(Random(f"{family.__name__} {seed}")):
            assert mutant.pack != pack(), f"{mutant.what} changed nothing"
            found = verdict_on(mutant.pack)
            named = found is None or (found.verdict is Verdict.REJECTED and mutant.codes & set(found.findings.codes()))
            if not named and not counts_the_same(mutant.pack):
                survivors.append((seed, mutant.what, found and (found.verdict, found.findings.codes())))
    assert survivors == []


def test_there_are_enough_of_them_and_the_honest_pack_passes() -> None:
    assert sum(count for _, count in FAMILIES) >= COUNT
    report = verdict_on(pack())
    assert report
    assert (report.verdict, report.findings.codes()) == (Verdict.VERIFIED_WITH_GAPS, [])
    assert {kind.name for kind in report.findings.kinds()} == {"equivocation", "gap"}
