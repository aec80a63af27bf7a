"""Numbers and times as a page shows them. Source: domain.md 4, rule 11, through `contract.units`.

Does not: decide anything; a time is shown in the zone of the managing unit, which the caller names.
"""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contract.units import MS_PER_HOUR

_HASH_SHOWN: Final = 12
_MS_PER_S: Final = 1_000
_MS_PER_MINUTE: Final = 60_000


def moment(time_ms: int, zone: str) -> str:
    """`2025-03-10 09:00:00`, in a zone."""
    return local(time_ms, zone).strftime("%Y-%m-%d %H:%M:%S")


def time_of_day(time_ms: int, zone: str) -> str:
    """`09:00:00`, in a zone."""
    return local(time_ms, zone).strftime("%H:%M:%S")


def ending(time_ms: int, zone: str, day: date) -> str:
    """The end of a span of a local day: its midnight is 24:00:00, not 00:00:00 of the same day."""
    found = local(time_ms, zone)
    is_midnight = found.date() == day + timedelta(days=1) and (found.hour, found.minute, found.second) == (0, 0, 0)
    return "24:00:00" if is_midnight else found.strftime("%H:%M:%S")


def zone_text(time_ms: int, zone: str) -> str:
    """`Asia/Shanghai (UTC+08:00)`: the zone's name, and its offset at an instant."""
    offset = local(time_ms, zone).strftime("%z")
    return f"{zone} (UTC{offset[:3]}:{offset[3:5]})"


def length(duration_ms: int) -> str:
    """`1:30:05`: hours, minutes, seconds, to the nearest second."""
    seconds = (duration_ms + _MS_PER_S // 2) // _MS_PER_S
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def age(duration_ms: int) -> str:
    """How old something is, in its largest whole unit: `42 s`, `7 min`, `3 h`, `12 d`; static/live.js says the same."""
    if duration_ms < _MS_PER_MINUTE:
        return f"{max(duration_ms, 0) // _MS_PER_S} s"
    if duration_ms < MS_PER_HOUR:
        return f"{duration_ms // _MS_PER_MINUTE} min"
    if duration_ms < 48 * MS_PER_HOUR:
        return f"{duration_ms // MS_PER_HOUR} h"
    return f"{duration_ms // (24 * MS_PER_HOUR)} d"


def watts(power_mw: int) -> str:
    """`412.3 W`."""
    return f"{power_mw / 1000:.1f} W"


def short(hash_hex: str) -> str:
    """The beginning of a hash; the whole one stands in the title of the element."""
    return f"{hash_hex[:_HASH_SHOWN]}…" if len(hash_hex) > _HASH_SHOWN else hash_hex


def count(number: int) -> str:
    """A whole number with its thousands apart (a narrow, unbreakable space, as in SI)."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def local(time_ms: int, zone: str) -> datetime:
    """An instant in a zone."""
    return datetime.fromtimestamp(time_ms / _MS_PER_S, ZoneInfo(zone))
