"""Coverage-guided fuzzing of all that reads bytes of strangers: 100,000 inputs, with --long ten times as many."""

import importlib.util
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fuzz import mutate

from contract import codec, seal
from contract.errors import EvidenceError

FOLDER: Final = Path(__file__).parent
RUNS: Final = {"open_frame": 50_000, "decode": 40_000, "admission": 10_000}
LONG: Final = 10
BYTES: Final = 70_000
"""More than any frame has, so that what is too large is among the inputs."""
ENOUGH: Final = {"open_frame": 30, "decode": 150, "admission": 250}
"""Places in the code that must have been reached: a mutator that no longer gets behind the signature is a defect."""
LONGEST_S: Final = 3_000
NOBODY: Final = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()


def fuzz(target: str, runs: int, seed: int, found: Path) -> subprocess.CompletedProcess[str]:
    """Run one target in a process of its own; what it finds new goes to a folder."""
    limits = [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-max_len={BYTES}",
        "-len_control=0",
        "-timeout=60",
        "-rss_limit_mb=1024",
    ]
    folders = [str(found), str(FOLDER / "corpus" / target)]
    command = [sys.executable, str(FOLDER / "targets.py"), target, *limits, f"-artifact_prefix={found}/", *folders]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, env=environment, timeout=LONGEST_S
    )


@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("target", RUNS)
def test_no_input_breaks_a_rule(target: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris has no wheel for this platform: pip install atheris")
    long = bool(request.config.getoption("--long"))
    runs = RUNS[target] * (LONG if long else 1)
    # The ordinary run is the same each time, a long one is not: -seed=0 lets libFuzzer choose.
    ended = fuzz(target, runs, 0 if long else 1, tmp_path)
    again = f"{sys.executable} {FOLDER / 'targets.py'} {target} {tmp_path}/crash-*"
    assert ended.returncode == 0, f"{ended.stderr[-3_000:]}\nonce more: {again}"
    (done,) = re.findall(r"^#(\d+)\s+DONE\s+cov: (\d+)", ended.stderr, re.MULTILINE)
    assert int(done[0]) >= runs
    assert int(done[1]) >= ENOUGH[target], "the mutator does not reach the code it is for"


def test_the_mutator_gets_behind_the_signature() -> None:
    """A third of what it makes is authentic, and all that bytes can be refused for by themselves is met."""
    random = Random(1)
    keys = {seal.key_id(key.public_key().public_bytes_raw()): key.public_key() for key in mutate.GATEWAYS.values()}
    seeds = [path.read_bytes() for path in sorted((FOLDER / "corpus" / "admission").iterdir())]
    said = Counter[str]()
    for _ in range(3_000):
        changed = mutate.frame(
            random.choice(seeds), BYTES, random, lambda data, _: data[: random.randrange(len(data) + 1)]
        )
        try:
            opened = seal.open_frame(changed)
            seal.verify(opened.protected, opened.payload, opened.signature, keys.get(opened.envelope.kid, NOBODY))
            said["authentic"] += 1
            codec.decode(opened.payload)
            said["decoded"] += 1
        except EvidenceError as error:
            said[error.reason] += 1
    assert said["authentic"] > 1_000, said
    assert said["decoded"] > 100, said
    assert set(said) == {
        "authentic",
        "decoded",
        "too-large",
        "bad-envelope",
        "bad-signature",
        "malformed",
        "not-canonical",
    }


def test_the_corpus_is_small_and_of_the_vectors() -> None:
    files = [path for path in (FOLDER / "corpus").rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == set(RUNS)
    assert sum(path.stat().st_size for path in files) < 100_000
