"""Words and numbers of the pages: both languages, rounding that never flatters, days that have not come."""

import re
from datetime import date
from importlib.resources import files
from string import Formatter
from typing import Any

import pytest
from fix_api import ALPHA, DAY, Lab
from starlette.requests import Request

from api.current import Doubt
from api.pages import language, shown
from api.pages.language import Language
from api.pages.rendering import as_json
from api.pages.sums import Sum, days_between
from contract.states import Assurance
from contract.units import bounds_text, share_text
from storage import registry
from storage.pool import connect

_PAGES = files("api.pages")
SOURCES = "\n".join(
    one.read_text("utf-8")
    for folder in (_PAGES, _PAGES / "templates")
    for one in folder.iterdir()
    if one.name.endswith((".py", ".html"))
)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_text_has_both_languages_and_the_same_places() -> None:
    for key, (zh, en) in language.catalogue().items():
        assert zh.strip(), key
        assert en.strip(), key
        assert places(zh) == places(en), key


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    used = set(re.findall(r"""(?:\bt|\btexts|\(spoken\))\(["']([a-z_]+\.[A-Za-z0-9_-]+)["']""", SOURCES))
    used |= set(re.findall(r'"((?:login|statement|wrong)\.[a-z_]+)"', SOURCES))
    made = re.findall(r"""\bt\(["']([a-z_]+\.[a-z_]*)(?:["'] ~|%d)""", SOURCES)
    used -= {"page.key", "login.html"}
    assert used - set(made) <= set(language.catalogue())
    built = ("class.", "doubt.", *made)
    unused = {key for key in language.catalogue() if key not in used and not key.startswith(tuple(built))}
    assert not unused


def test_every_doubt_has_words() -> None:
    assert {f"doubt.{doubt}" for doubt in Doubt} == {key for key in language.catalogue() if key.startswith("doubt.")}


def asked(query: str = "", cookie: str = "", accept: str = "") -> Request:
    headers = [(b"accept-language", accept.encode()), (b"cookie", cookie.encode())]
    scope: dict[str, Any] = {"type": "http", "query_string": query.encode(), "headers": headers, "path": "/"}
    return Request(scope)


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "spoken"),
    [
        ("lang=en", "jishi_lang=zh", "zh", "en"),
        ("lang=xx", "jishi_lang=en", "zh", "en"),
        ("", "", "de, en-GB;q=0.7, zh-CN;q=0.8", "zh"),
        ("", "", "fr;q=0.9, EN-us;q=0.5", "en"),
        ("", "", "en;q=what, zh;q=0.1", "zh"),
        ("", "", "", "zh"),
    ],
)
def test_the_language_is_what_was_asked_for_then_chosen_then_accepted(
    query: str, cookie: str, accept: str, spoken: str
) -> None:
    assert language.chosen(asked(query, cookie, accept)) is Language(spoken)


def test_data_in_a_page_cannot_end_its_block() -> None:
    text = as_json({"a": "</script><!--&\u2028"})
    assert not set("<>&\u2028") & set(text)


def test_coverage_is_whole_only_if_exact_and_bounds_are_outward() -> None:
    almost = Sum(point_ms=18_000, low_ms=17_999, high_ms=18_001, unknown_ms=1, length_ms=86_400_000)
    assert share_text(*almost.covered) == "99.99 %"
    assert bounds_text(*almost.bounds) == "[0.00, 0.01]"
    none = Sum.of([])
    assert (share_text(*none.covered), none.is_unknown) == ("0.00 %", True)


@pytest.mark.parametrize(
    ("time_ms", "zone", "text"),
    [
        (DAY[1], "Asia/Shanghai", "24:00:00"),
        (DAY[0], "Asia/Shanghai", "00:00:00"),
        (DAY[1] - 1, "Asia/Shanghai", "23:59:59"),
    ],
)
def test_a_day_ends_at_24_hours(time_ms: int, zone: str, text: str) -> None:
    assert shown.ending(time_ms, zone, date(2025, 3, 10)) == text


def test_ages_and_lengths_are_in_whole_units() -> None:
    assert [shown.age(ms) for ms in (-5, 59_999, 60_000, 3_600_000, 172_799_999, 172_800_000)] == [
        "0 s", "59 s", "1 min", "1 h", "47 h", "2 d",
    ]  # fmt: skip
    assert (shown.length(5_405_499), shown.length(5_405_500)) == ("1:30:05", "1:30:06")
    assert shown.zone_text(DAY[0], "Asia/Kathmandu") == "Asia/Kathmandu (UTC+05:45)"


def test_what_is_still_to_come_is_in_no_sum(lab: Lab) -> None:
    within = date(2025, 3, 1), date(2025, 3, 31)
    noon_ms = DAY[0] + 12 * 3_600_000
    with connect(lab.dsn) as connection:
        (alpha,) = (one for one in registry.instruments(connection) if one.instrument == ALPHA.instrument)
        found = days_between(connection, alpha, within, Assurance.SIGNED, noon_ms)
        whole = days_between(connection, alpha, within, Assurance.SIGNED, DAY[1])
        none = days_between(connection, alpha, within, Assurance.SIGNED, DAY[0] - 30 * 86_400_000)
    today, yesterday = found.days[-1], found.days[-2]
    ended = whole.days[-1]
    assert (today.day, today.length_ms) == (date(2025, 3, 10), 12 * 3_600_000)
    assert 0 == today.low_ms < today.point_ms < today.high_ms < today.length_ms
    assert (ended.day, ended.length_ms) == (today.day, 86_400_000)
    assert ended.high_ms - today.high_ms == ended.unknown_ms - today.unknown_ms == 12 * 3_600_000
    assert yesterday.is_unknown
    assert yesterday.high_ms == yesterday.length_ms
    assert (found.stated, len(none.days), none.sum.length_ms) == (frozenset({today.day}), 0, 0)
    assert found.external()["A3"][1] >= 9 * 86_400_000, "what no statement covers may all have been external"
