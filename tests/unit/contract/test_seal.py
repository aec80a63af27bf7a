"""The seal: only these very bytes, only this key, only this form."""

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from unit.contract.strategies import MAX_SEQ, UNHURRIED, hashes, stream_ids
from wire import samples

from contract import codec, receipt, seal
from contract.errors import EvidenceError, Reason
from contract.ids import KeyId, StreamId

KEY = samples.GATEWAY_KEY
PUBLIC = KEY.public_key()
FRAME = samples.frame(samples.POWER_AND_LINES, 7, bytes([1]) * 32)


def accepted(raw: bytes) -> seal.Sealed:
    sealed = seal.open_frame(raw)
    seal.verify(sealed.protected, sealed.payload, sealed.signature, PUBLIC)
    return sealed


def test_an_unchanged_frame_is_accepted() -> None:
    sealed = accepted(FRAME)
    assert codec.decode(sealed.payload) == samples.POWER_AND_LINES
    assert sealed.envelope == samples.envelope(7, bytes([1]) * 32)


@pytest.mark.parametrize("at", range(len(FRAME)))
def test_every_byte_counts(at: int) -> None:
    for bit in (0x01, 0x20, 0x80):
        changed = bytearray(FRAME)
        changed[at] ^= bit
        with pytest.raises(EvidenceError):
            accepted(bytes(changed))


@UNHURRIED
@given(st.integers(0, len(FRAME) - 1), st.integers(0, 255))
def test_any_other_byte_in_any_place_is_refused(at: int, byte: int) -> None:
    changed = FRAME[:at] + bytes([byte]) + FRAME[at + 1 :]
    if changed == FRAME:
        assert accepted(changed) == accepted(FRAME)
    else:
        with pytest.raises(EvidenceError) as refusal:
            accepted(changed)
        assert refusal.value.reason in {Reason.BAD_ENVELOPE, Reason.BAD_SIGNATURE}


@pytest.mark.parametrize("length", range(len(FRAME)))
def test_a_cut_frame_is_refused(length: int) -> None:
    with pytest.raises(EvidenceError) as refusal:
        seal.open_frame(FRAME[:length])
    assert refusal.value.reason == Reason.BAD_ENVELOPE


@UNHURRIED
@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: FRAME[:76] + tail))
def test_any_bytes_are_refused_as_evidence(raw: bytes) -> None:
    with pytest.raises(EvidenceError) as refusal:
        accepted(raw)
    assert refusal.value.reason in {Reason.BAD_ENVELOPE, Reason.BAD_SIGNATURE}


@UNHURRIED
@given(
    st.integers(0, (1 << 64) - 1),
    stream_ids,
    st.integers(1, MAX_SEQ) | st.sampled_from((1, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, MAX_SEQ)),
    hashes.filter(any),
    st.binary(max_size=300),
)
def test_any_envelope_comes_back(version: int, stream: StreamId, seq: int, prev: bytes, payload: bytes) -> None:
    envelope = seal.Envelope(kid=samples.GATEWAY_KID, version=version, stream_id=stream, seq=seq, prev_hash=prev)
    raw = seal.seal(envelope, payload, KEY)
    sealed = accepted(raw)
    assert (sealed.envelope, sealed.payload) == (envelope, payload)
    assert sealed.frame_hash == hashlib.sha256(raw).digest() == seal.frame_hash(raw)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kid": KeyId(bytes(7))},
        {"stream_id": StreamId(bytes(17))},
        {"prev_hash": bytes(31)},
        {"version": -1},
        {"version": 1 << 64},
        {"seq": -1},
        {"seq": MAX_SEQ + 1},
        {"seq": 0},
        {"prev_hash": bytes(32)},
    ],
    ids=str,
)
def test_seal_refuses_what_open_would(wrong: dict[str, int | bytes]) -> None:
    good = samples.envelope(7, bytes([1]) * 32)
    with pytest.raises(ValueError, match=r"envelope|FIRST_PREV_HASH"):
        seal.seal(replace(good, **wrong), b"", KEY)  # type: ignore[arg-type]


@pytest.mark.parametrize("payload_bytes", [seal.MAX_FRAME_BYTES - 146, seal.MAX_FRAME_BYTES - 145])
def test_the_largest_frame(payload_bytes: int) -> None:
    envelope = samples.envelope()
    overhead = len(seal.seal(envelope, bytes(60_000), KEY)) - 60_000
    fits = payload_bytes + overhead <= seal.MAX_FRAME_BYTES
    if fits:
        assert len(accepted(seal.seal(envelope, bytes(payload_bytes), KEY)).payload) == payload_bytes
    else:
        with pytest.raises(ValueError, match="close frames earlier"):
            seal.seal(envelope, bytes(payload_bytes), KEY)


def test_another_key_does_not_verify() -> None:
    sealed = seal.open_frame(FRAME)
    with pytest.raises(EvidenceError) as refusal:
        seal.verify(sealed.protected, sealed.payload, sealed.signature, samples.COLLECTOR_KEY.public_key())
    assert refusal.value.reason == Reason.BAD_SIGNATURE


def test_header_and_payload_cannot_trade_bytes() -> None:
    protected, payload, signature = seal.open_signed(FRAME)
    with pytest.raises(EvidenceError):
        seal.verify(protected + payload[:1], payload[1:], signature, PUBLIC)


def test_a_receipt_is_no_frame_and_a_frame_no_receipt() -> None:
    acknowledged = receipt.seal_receipt(samples.receipt(), samples.GATEWAY_KID, KEY)
    with pytest.raises(EvidenceError) as refusal:
        seal.open_frame(acknowledged)
    assert refusal.value.reason == Reason.BAD_ENVELOPE
    with pytest.raises(EvidenceError) as refusal:
        receipt.open_receipt(FRAME, samples.GATEWAY_KID, PUBLIC)
    assert refusal.value.reason == Reason.UNKNOWN_KEY


def test_the_key_id_is_the_head_of_the_hash_of_the_key() -> None:
    raw = PUBLIC.public_bytes_raw()
    assert seal.key_id(raw) == hashlib.sha256(raw).digest()[:8]


def test_the_signed_bytes_are_those_of_the_standard() -> None:
    """RFC 9052, section 4.4."""
    assert seal.to_be_signed(b"\xa1\x01\x27", b"hi") == b"\x84\x6aSignature1\x43\xa1\x01\x27\x40\x42hi"


@UNHURRIED
@given(st.binary(min_size=32, max_size=32))
def test_a_real_public_key_is_loaded(seed: bytes) -> None:
    raw = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert seal.load_public_key(raw).public_bytes_raw() == raw
