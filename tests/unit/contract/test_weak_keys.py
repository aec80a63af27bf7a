"""Keys that bind nobody, derived here from the curve itself: every writing of every point of small order.

Source: RFC 8032 5.1 (the curve), "Taming the many EdDSAs" (2020), table 1.
"""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract import seal

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
IDENTITY = (0, 1)

Point = tuple[int, int]


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(scalar: int, point: Point) -> Point:
    total = IDENTITY
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def square_root(square: int) -> int | None:
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == square:
            return candidate
    return None


def generator_of_small_order() -> Point:
    """A point of order 8: ORDER times any point, until one has it."""
    for y in range(2, 200):
        x = square_root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
        if x is not None:
            point = times(ORDER, (x, y))
            if times(4, point) != IDENTITY:
                return point
    raise AssertionError("one in two points has a part of order 8")


def writings(point: Point) -> set[bytes]:
    """32 bytes that a lax reader takes for the point: y or y + P, and either sign where x is 0."""
    x, y = point
    signs = {x & 1} if x else {0, 1}
    return {(value | sign << 255).to_bytes(32, "little") for value in (y, y + P) if value < 2**255 for sign in signs}


POINTS = [times(i, generator_of_small_order()) for i in range(8)]
WEAK = sorted(set[bytes]().union(*(writings(point) for point in POINTS)))


def test_there_are_eight_points_in_fourteen_writings() -> None:
    assert len(set(POINTS)) == 8
    assert all(times(8, point) == IDENTITY for point in POINTS)
    assert len(WEAK) == 14


@pytest.mark.parametrize("raw", WEAK, ids=bytes.hex)
def test_a_key_of_small_order_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="make a new key"):
        seal.load_public_key(raw)


def test_why() -> None:
    """One signature by such a key holds for every message: R = the identity, S = 0."""
    identity = (1).to_bytes(32, "little")
    careless = Ed25519PublicKey.from_public_bytes(identity)
    for payload in (b"0 h", b"8760 h"):
        seal.verify(b"", payload, identity + bytes(32), careless)


@pytest.mark.parametrize("excess", range(19))
@pytest.mark.parametrize("sign", [0, 1])
def test_a_second_writing_of_a_key_is_refused(excess: int, sign: int) -> None:
    raw = (P + excess | sign << 255).to_bytes(32, "little")
    with pytest.raises(ValueError, match="make a new key"):
        seal.load_public_key(raw)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seal.load_public_key(bytes(size))
