"""The one door to the time. Everything else gets it as data."""

import time


def utc_ms() -> int:
    """Wall-clock time as POSIX milliseconds (UTC; leap seconds are not counted)."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Milliseconds since an arbitrary moment of this boot; never goes back."""
    return time.monotonic_ns() // 1_000_000


def elapsed_s() -> float:
    """Seconds on the monotonic clock, for timeouts and progress."""
    return time.monotonic()
