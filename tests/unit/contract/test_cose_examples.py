"""The examples of the COSE working group (cose-wg/Examples), which nobody in this project made.

Our `open_signed` refuses them by design (their kid stands in the unprotected header): cbor2 takes them apart here.
"""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import seal
from contract.errors import EvidenceError, Reason

ROOT = Path(__file__).parents[3]
REALDATA = Path(os.environ.get("JISHI_REALDATA", ROOT.parent / "shared" / "realdata"))
ARCHIVE = REALDATA / "vectors" / "cose.zip"
needs_archive = pytest.mark.skipif(not ARCHIVE.exists(), reason=f"{ARCHIVE} is absent: set JISHI_REALDATA")


def examples() -> list[dict[str, Any]]:
    """The examples with one signer."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        read = [json.loads(archive.read(name)) for name in sorted(archive.namelist()) if name.endswith(".json")]
    return [example for example in read if "sign0" in example["input"]]


def ed25519() -> list[tuple[dict[str, Any], bytes, bytes, bytes]]:
    """Those signed with Ed25519: the key, protected header, payload and signature."""
    found = []
    for example in examples():
        key = example["input"]["sign0"]["key"]
        if key["crv"] == "Ed25519" and not example.get("fail"):
            protected, _, payload, signature = cbor2.loads(bytes.fromhex(example["output"]["cbor"])).value
            found.append((key, protected, payload, signature))
    return found


@needs_archive
def test_the_bytes_to_be_signed_are_those_of_the_examples() -> None:
    checked = 0
    for example in examples():
        if example.get("fail") or "external" in example["input"]["sign0"]:
            continue
        message = cbor2.loads(bytes.fromhex(example["output"]["cbor"]))
        protected, _, payload, _ = message.value if isinstance(message, cbor2.CBORTag) else message
        if protected == b"\xa0":  # an empty map is signed as nothing; ours is never empty
            protected = b""
        expected = bytes.fromhex(example["intermediates"]["ToBeSign_hex"])
        assert seal.to_be_signed(protected, payload) == expected, example["title"]
        checked += 1
    assert checked >= 4


@needs_archive
def test_the_ed25519_examples_verify() -> None:
    found = ed25519()
    assert found
    for key, protected, payload, signature in found:
        public = seal.load_public_key(bytes.fromhex(key["x_hex"]))
        seal.verify(protected, payload, signature, public)
        secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["d_hex"]))
        assert seal.open_signed(seal.sign(protected, payload, secret)) == (protected, payload, signature)


@needs_archive
def test_a_changed_example_fails() -> None:
    for key, *parts in ed25519():
        public = seal.load_public_key(bytes.fromhex(key["x_hex"]))
        for which, part in enumerate(parts):
            for at in range(len(part)):
                changed = list(parts)
                changed[which] = part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :]
                with pytest.raises(EvidenceError) as refusal:
                    seal.verify(changed[0], changed[1], changed[2], public)
                assert refusal.value.reason == Reason.BAD_SIGNATURE


@needs_archive
def test_the_examples_are_not_in_our_form() -> None:
    for example in examples():
        with pytest.raises(EvidenceError) as refusal:
            seal.open_signed(bytes.fromhex(example["output"]["cbor"]))
        assert refusal.value.reason == Reason.BAD_ENVELOPE
