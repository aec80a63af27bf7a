"""Units: exact inside, rounded only at the edge, and never without a zone."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.contract.strategies import UNHURRIED, times

from contract import units


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (0, "0.00"),
        (17_999, "0.00"),
        (18_000, "0.01"),  # exactly half of 0.01 h
        (18_001, "0.01"),
        (53_999, "0.01"),
        (54_000, "0.02"),  # half-up, where half-even says 0.02 too, and
        (90_000, "0.03"),  # ... here half-even would say 0.02
        (5 * 3_600_000, "5.00"),
        (8760 * 3_600_000, "8760.00"),
        (3_599_999, "1.00"),
    ],
)
def test_hours_are_shown_half_up(duration_ms: int, text: str) -> None:
    assert units.hours_text(duration_ms) == text


@UNHURRIED
@given(st.integers(0, 10**15))
def test_hours_are_shown_within_half_a_hundredth(duration_ms: int) -> None:
    error = Fraction(units.hours_text(duration_ms)) - Fraction(duration_ms, 3_600_000)
    assert -Fraction(1, 200) < error <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("low_ms", "high_ms", "text"),
    [
        (0, 0, "[0.00, 0.00]"),
        (35_999, 36_001, "[0.00, 0.02]"),
        (36_000, 36_000, "[0.01, 0.01]"),
        (5 * 3_600_000, 5 * 3_600_000 + 1, "[5.00, 5.01]"),
        (17_998_000, 19_802_000, "[4.99, 5.51]"),
    ],
)
def test_bounds_are_shown_outward(low_ms: int, high_ms: int, text: str) -> None:
    assert units.bounds_text(low_ms, high_ms) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 1, "0.00 %"),
        (1, 1, "100.00 %"),
        (84_600, 86_400, "97.91 %"),
        (31_535_999_999, 31_536_000_000, "99.99 %"),
        (2, 3, "66.66 %"),
    ],
)
def test_a_share_is_shown_rounded_down(part: int, whole: int, text: str) -> None:
    assert units.share_text(part, whole) == text


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-03-10T09:00:00+08:00", 1_741_568_400_000),
        ("2025-03-10T01:00:00Z", 1_741_568_400_000),
        ("2025-03-09T20:00:00-05:00", 1_741_568_400_000),
        ("2025-03-10T09:00:00.123+08:00", 1_741_568_400_123),
        ("2025-03-10T09:00:00.123999+08:00", 1_741_568_400_123),
        # the local hour that comes twice: the offset tells which
        ("2025-10-26T02:30:00+02:00", 1_761_438_600_000),
        ("2025-10-26T02:30:00+01:00", 1_761_442_200_000),
        # summer time in Shanghai, 1986 to 1991, was +09:00
        ("1988-07-01T00:00:00+09:00", 583_686_000_000),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_a_time_with_an_offset_is_an_instant(text: str, time_ms: int) -> None:
    assert units.parse_utc_ms(text) == time_ms


@pytest.mark.parametrize("text", ["2025-03-10T09:00:00", "2025-03-10", "2025-03-10 09:00"])
def test_a_time_without_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has no offset"):
        units.parse_utc_ms(text)


@pytest.mark.parametrize("text", ["", "now", "10/03/2025 09:00:00", "2025-03-10T25:00:00Z", "2025-02-29T00:00:00Z"])
def test_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        units.parse_utc_ms(text)


@UNHURRIED
@given(times)
def test_a_shown_time_is_parsed_back(time_ms: int) -> None:
    text = units.utc_text(time_ms)
    assert units.parse_utc_ms(text) == time_ms
    assert text.endswith("Z")


def test_a_time_is_shown_to_the_millisecond() -> None:
    assert units.utc_text(1_741_568_400_000) == "2025-03-10T01:00:00.000Z"


def test_readings_become_integers_to_the_nearest() -> None:
    assert units.mw_from_w(655.1004) == 655_100
    assert units.mw_from_w(-0.0006) == -1
    assert units.mwh_from_kwh(8123.45) == 8_123_450_000
    assert units.ms_from_s(0.0004) == 0
    assert units.ms_from_s(1.5) == 1_500
    assert units.hours(5_400_000) == 1.5


@pytest.mark.parametrize("convert", [units.mw_from_w, units.mwh_from_kwh, units.ms_from_s])
@pytest.mark.parametrize("reading", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_becomes_no_integer(convert: object, reading: float) -> None:
    assert callable(convert)
    with pytest.raises((ValueError, OverflowError)):
        convert(reading)
