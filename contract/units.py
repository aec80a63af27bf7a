"""Numbers inside are integers: mW, mWh, ms since 1970 (UTC). Floats and text exist only at the edges.

Does not: know a calendar or a time zone beyond an offset written in a text.
"""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

MS_PER_HOUR: Final = 3_600_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def mw_from_w(power_w: float) -> int:
    """Watts to the nearest milliwatt."""
    return round(power_w * 1_000)


def mwh_from_kwh(energy_kwh: float) -> int:
    """Kilowatt-hours to the nearest milliwatt-hour."""
    return round(energy_kwh * 1_000_000)


def ms_from_s(seconds: float) -> int:
    """Seconds to the nearest millisecond."""
    return round(seconds * 1_000)


def hours(duration_ms: int) -> float:
    """Milliseconds as hours, for JSON and display only."""
    return duration_ms / MS_PER_HOUR


def hours_text(duration_ms: int) -> str:
    """Milliseconds as hours with two decimals, half-up: for point values. Source: domain.md 4, rule 11."""
    return _hours(duration_ms, ROUND_HALF_UP)


def bounds_text(low_ms: int, high_ms: int) -> str:
    """Bounds as hours with two decimals, rounded outward: what is shown never claims more than what is known."""
    return f"[{_hours(low_ms, ROUND_FLOOR)}, {_hours(high_ms, ROUND_CEILING)}]"


def share_text(part: int, whole: int) -> str:
    """A share in percent with two decimals, rounded down: never 100 % unless exact."""
    return f"{(Decimal(100 * part) / whole).quantize(Decimal('0.01'), ROUND_FLOOR)} %"


def _hours(duration_ms: int, rounding: str) -> str:
    return str((Decimal(duration_ms) / MS_PER_HOUR).quantize(Decimal("0.01"), rounding))


def parse_utc_ms(text: str) -> int:
    """RFC 3339 text *with an offset* (`2025-03-10T09:00:00+08:00`) as POSIX milliseconds.

    Raises:
        ValueError: the text is no time, or says no offset: local time without a zone names no instant.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write one, such as +08:00 or Z")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def utc_text(time_ms: int) -> str:
    """POSIX milliseconds as RFC 3339 in UTC, to the millisecond."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
