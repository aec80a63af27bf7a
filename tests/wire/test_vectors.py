"""The golden vectors against `contract`: what is accepted, kept or refused, and why."""

from typing import Any

import cbor2
import pytest
from wire import golden, make_vectors, samples

from contract import codec, receipt, seal
from contract.errors import EvidenceError, Reason
from contract.frame import VERSION

GATEWAY = samples.GATEWAY_KEY.public_key()
COLLECTOR = samples.COLLECTOR_KEY.public_key()
REFUSED = [vector for name in ("malformed", "reencoded", "hostile") for vector in golden.vectors(name)]


def named(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=lambda v: str(v["name"]))


def read(vector: dict[str, Any]) -> dict[str, Any]:
    """A vector through every gate, as JSON."""
    raw = golden.raw(vector)
    if vector["kind"] == "receipt":
        return make_vectors.described(receipt.open_receipt(raw, samples.COLLECTOR_KID, COLLECTOR))
    sealed = seal.open_frame(raw)
    seal.verify(sealed.protected, sealed.payload, sealed.signature, GATEWAY)
    return make_vectors.described(codec.decode(sealed.payload))


def test_the_generator_gives_the_committed_bytes() -> None:
    written = {path.name: path.read_text("utf-8") for path in golden.FOLDER.iterdir()}
    assert make_vectors.files() == written


@named(golden.vectors("good"))
def test_a_good_vector_says_its_content(vector: dict[str, Any]) -> None:
    assert read(vector) == vector["content"]


@named([v for v in golden.vectors("good") if v["kind"] == "frame"])
def test_a_good_frame_is_the_only_writing_of_its_content(vector: dict[str, Any]) -> None:
    raw = golden.raw(vector)
    sealed = seal.open_frame(raw)
    assert make_vectors.plain_envelope(sealed.envelope) == vector["envelope"]
    assert sealed.frame_hash.hex() == vector["frame_hash"]
    assert seal.seal(sealed.envelope, codec.encode(codec.decode(sealed.payload)), samples.GATEWAY_KEY) == raw


def test_the_good_frames_are_one_chain() -> None:
    frames = [seal.open_frame(golden.raw(v)) for v in golden.vectors("good") if v["kind"] == "frame"]
    *chain, _other_genesis = frames
    assert [f.envelope.seq for f in chain] == list(range(len(chain)))
    hashes = [seal.FIRST_PREV_HASH, *(f.frame_hash for f in chain)]
    assert [f.envelope.prev_hash for f in chain] == hashes[:-1]


@named(REFUSED)
def test_a_bad_vector_is_refused_for_its_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError) as refusal:
        read(vector)
    assert refusal.value.reason == vector["expect"]
    assert vector["says"] in str(refusal.value)


@named(golden.vectors("future"))
def test_a_future_frame_is_authentic_and_keeps_its_envelope(vector: dict[str, Any]) -> None:
    sealed = seal.open_frame(golden.raw(vector))
    seal.verify(sealed.protected, sealed.payload, sealed.signature, GATEWAY)
    assert make_vectors.plain_envelope(sealed.envelope) == vector["envelope"]
    assert sealed.envelope.version != VERSION


SAME_SIGNATURE = [
    v for v in golden.vectors("reencoded") if v["expect"] == "bad-envelope" and v["shows"].startswith("The same sig")
]


@named(SAME_SIGNATURE)
def test_a_reencoding_would_pass_a_lax_reader(vector: dict[str, Any]) -> None:
    message = cbor2.loads(golden.raw(vector))
    while isinstance(message, cbor2.CBORTag):
        message = message.value
    protected, _, payload, signature = message
    seal.verify(protected, payload, signature, GATEWAY)
    assert codec.decode(payload) == samples.POWER_AND_LINES


@named([v for v in golden.vectors("reencoded") if v["expect"] == Reason.NOT_CANONICAL])
def test_a_payload_in_another_writing_says_the_same_content(vector: dict[str, Any]) -> None:
    payload = seal.open_frame(golden.raw(vector)).payload
    assert codec._content(cbor2.loads(payload)) == samples.POWER_AND_LINES


def test_there_are_enough_reencodings_of_one_signed_frame() -> None:
    assert len(SAME_SIGNATURE) >= 5


def test_every_reason_that_bytes_alone_give_has_a_vector() -> None:
    from_bytes = {
        Reason.TOO_LARGE,
        Reason.BAD_ENVELOPE,
        Reason.UNKNOWN_KEY,
        Reason.BAD_SIGNATURE,
        Reason.UNKNOWN_VERSION,
        Reason.MALFORMED,
        Reason.NOT_CANONICAL,
    }
    assert {vector["expect"] for vector in REFUSED} == from_bytes


def test_names_are_unique_within_a_file() -> None:
    for name in ("good", "future", "malformed", "reencoded", "hostile"):
        names = [vector["name"] for vector in golden.vectors(name)]
        assert len(names) == len(set(names)), name
