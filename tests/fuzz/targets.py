"""What is fuzzed, and what must hold of it whatever the bytes are.

Run by libFuzzer, one target a process:

    .venv/bin/python tests/fuzz/targets.py admission -runs=200000 FOUND tests/fuzz/corpus/admission

FOUND is a folder for inputs that reached something new. An input that breaks a rule is written to `crash-…` there
(with -artifact_prefix=FOUND/) and shown by running the target with that file alone.
"""

import importlib
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if __name__ == "__main__":
    tests = Path(__file__).resolve().parents[1]
    sys.path[:1] = [str(tests), str(tests.parent)]

_fuzzer: Any = importlib.import_module("atheris")
with _fuzzer.instrument_imports(include=["contract", "collector"], enable_loader_override=False):
    from fuzz import mutate

    from collector import admission, chain
    from collector.admission import Outcome, Verdict
    from contract import codec, seal
    from contract.errors import EvidenceError, Reason
    from contract.frame import Content
    from contract.ids import GatewayId, InstrumentId, SiteId
    from contract.registry import Binding, GatewayKey, Registry, Role
    from storage.records import Head

MOST_CPU_S: Final = 0.25
"""No input may cost more of one processor's time. The dearest honest frame costs about a tenth of it, instrumented."""
MOST_MORE_BYTES: Final = 512 << 20
"""No input may take the process further beyond what it began with; beyond, Python raises MemoryError."""
HEARD_MS: Final = 1_741_568_400_000 + 40 * 86_400_000
_SITE: Final = SiteId("huaian")
_STREAMS_KEPT: Final = 64
_RUNS_KEPT: Final = 64
_PUBLIC: Final = {name: key.public_key() for name, key in mutate.GATEWAYS.items()}


def open_frame(data: bytes) -> None:
    """Only EvidenceError comes out; what is taken apart has this one form."""
    try:
        opened = seal.open_frame(data)
    except EvidenceError as error:
        must(error.reason in {Reason.TOO_LARGE, Reason.BAD_ENVELOPE}, "another reason")
        return
    again = cbor2.dumps(cbor2.CBORTag(18, [opened.protected, {}, opened.payload, opened.signature]), canonical=True)
    must(again == data, "two forms of one frame")
    must(seal._pack(opened.envelope) == opened.protected, "two forms of one envelope")


def decode(data: bytes) -> None:
    """Only EvidenceError comes out; what is read is written the same."""
    content = decoded(data)
    if content is not None:
        must(codec.encode(content) == data, "decode and encode are no identity")
        must(codec.decode(codec.encode(content)) == content, "encode and decode are no identity")


def decoded(data: bytes) -> Content | None:
    """The content of a payload, if it has any."""
    try:
        return codec.decode(data)
    except EvidenceError as error:
        must(error.reason in {Reason.MALFORMED, Reason.NOT_CANONICAL}, "another reason")
        return None


class Custody:
    """A collector's memory over many inputs: heads of streams, and what is held under each place."""

    def __init__(self) -> None:
        keys = {name: key.public_bytes_raw() for name, key in _PUBLIC.items()}
        self.registry = Registry(
            keys={seal.key_id(public): _key(name, public) for name, public in keys.items()},
            bindings={(GatewayId(name), InstrumentId("nmr-400")): (_binding(name),) for name in keys},
            simulation=False,
        )
        self.topics = {name: f"jishi/v1/{_SITE}/{name}/frame" for name in keys}
        self.heads: dict[bytes, Head] = {}
        self.known: dict[tuple[bytes, int], set[bytes]] = {}

    def take(self, data: bytes) -> None:
        """Admit an input twice, on the topic of its signer or, now and then, another."""
        place, signer = _place(data), _signer(data)
        # Which topic, is a matter of the bytes alone, so that an input can be run again by itself.
        topic = self.topics.get(signer, self.topics["gw-07"])
        if data and data[-1] % 16 == 0:
            topic = [*self.topics.values(), data[: data[-1]].decode("utf-8", "replace")][data[-1] // 16 % 3]
        before = self.heads.get(place[0]) if place else None
        verdict, after = self._admit(data, topic, place)
        if not verdict.authentic:
            must(after is before, "bytes that are not authentic moved a head")
            must(verdict.outcome is Outcome.QUARANTINED and verdict.reason, "not authentic, and believed")
            return
        must(topic == self.topics.get(signer), "authentic without the signature of the topic's gateway")
        if place is None or after is None:
            must(holds=False, rule="authentic and nowhere")
            return
        must(chain.holds(after, place[1]), "authentic and not held")
        self.heads[place[0]] = after
        self.known.setdefault(place, set()).add(seal.frame_hash(data))
        again, same = self._admit(data, topic, place)
        must(again.outcome is Outcome.DUPLICATE and same is after, "the same frame again is no duplicate")
        if len(self.heads) > _STREAMS_KEPT or len(after.runs) > _RUNS_KEPT:
            self.heads.clear()
            self.known.clear()

    def _admit(self, data: bytes, topic: str, place: tuple[bytes, int] | None) -> tuple[Verdict, Head | None]:
        head = self.heads.get(place[0]) if place else None
        known = self.known.get(place, set()) if place else set()
        return admission.admit(data, topic, HEARD_MS, self.registry, head, known)


def _signer(data: bytes) -> str:
    """Whose key signed, asked by another way than admission goes: the general CBOR reader, and every key. "": none."""
    try:
        protected, _, payload, signature = cbor2.loads(data).value
        signed = cbor2.dumps(["Signature1", protected, b"", payload])
    except Exception:  # noqa: BLE001 - a general reader fails in many ways on what nobody signed
        return ""
    return next((name for name, key in _PUBLIC.items() if _verifies(key, signature, signed)), "")


def _verifies(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except (InvalidSignature, TypeError):
        return False
    return True


def _key(name: str, public: bytes) -> GatewayKey:
    return GatewayKey(
        kid=seal.key_id(public), site=_SITE, gateway=GatewayId(name), public_key=public, valid_from_ms=1_735_689_600_000
    )


def _binding(name: str) -> Binding:
    return Binding(
        instrument=InstrumentId("nmr-400"),
        gateway=GatewayId(name),
        meter_model="sdm120",
        meter_serial="2401-0017",
        ct_primary_a=100,
        ct_secondary_a=5,
        role=Role.SOLE,
        valid_from_ms=1_735_689_600_000,
    )


def _place(data: bytes) -> tuple[bytes, int] | None:
    try:
        envelope = seal.open_frame(data).envelope
    except EvidenceError:
        return None
    return envelope.stream_id, envelope.seq


TARGETS: Final[dict[str, tuple[Callable[[bytes], None], Callable[[bytes, int, Random, mutate.Mutate], bytes]]]] = {
    "open_frame": (open_frame, mutate.frame),
    "decode": (decode, mutate.payload),
    "admission": (Custody().take, mutate.frame),
}


def must(holds: object, rule: str) -> None:
    """Fail with the rule's name; unlike `assert` under every option of Python."""
    if not holds:
        raise AssertionError(rule)


def frugal(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The target, which fails where an input costs too much time."""

    def one(data: bytes) -> None:
        begun_s = time.process_time()
        target(data)
        took_s = time.process_time() - begun_s
        must(took_s < MOST_CPU_S, f"slow: {took_s:.2f} s for {len(data)} bytes")

    return one


def main() -> None:
    """Fuzz the target named first; the rest is libFuzzer's."""
    target, change = TARGETS[sys.argv.pop(1)]

    def mutator(data: bytes, most: int, seed: int) -> bytes:
        return change(data, most, Random(seed), _fuzzer.Mutate)[:most]

    taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_MORE_BYTES, resource.RLIM_INFINITY))
    _fuzzer.Setup(sys.argv, frugal(target), custom_mutator=mutator)
    _fuzzer.Fuzz()


if __name__ == "__main__":
    main()
