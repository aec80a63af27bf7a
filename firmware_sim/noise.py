"""Chance that can be asked again: hashes of (seed, instrument, time), the same in every process."""

from hashlib import blake2b
from random import Random


def source(seed: int, instrument_id: str, use: str) -> bytes:
    """A key of 16 bytes for one use of chance by one instrument."""
    return blake2b(f"{seed}/{instrument_id}/{use}".encode(), digest_size=16).digest()


def draw(key: bytes, at: int) -> int:
    """64 evenly spread bits for the place `at` (0 <= at < 2**64)."""
    return int.from_bytes(blake2b(key + at.to_bytes(8, "big"), digest_size=8).digest(), "big")


def jitter(key: bytes, at: int, amplitude: int) -> int:
    """A whole number in [-amplitude, amplitude], evenly spread."""
    return draw(key, at) % (2 * amplitude + 1) - amplitude


def random_from(key: bytes) -> Random:
    """A seeded generator, for plans that are drawn from beginning to end."""
    return Random(key)  # noqa: S311 - a simulation wants repeatable chance, not secret chance
