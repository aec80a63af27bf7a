"""Which language a page speaks, and its words: the catalogue holds every text of the pages in both languages.

Does not: translate what comes from the registry (an instrument has a name in each language) or from `metering.views`.
"""

import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import Request

COOKIE: Final = "jishi_lang"
"""The cookie that keeps the choice; it says nothing about anyone."""
PARAMETER: Final = "lang"

Texts = Callable[..., str]
"""`t("page.key", name=value)`: a text of the catalogue with its places filled."""


class Language(StrEnum):
    """What the pages speak; the value is the primary tag of BCP 47."""

    ZH = "zh"
    EN = "en"

    @property
    def tag(self) -> str:
        """For `<html lang>`: which Chinese it is decides the shapes of characters."""
        return {"zh": "zh-Hans", "en": "en"}[self.value]


def chosen(request: Request) -> Language:
    """By `?lang=`, else the cookie, else the first of Accept-Language that is spoken here, else Chinese."""
    for said in (request.query_params.get(PARAMETER), request.cookies.get(COOKIE)):
        if said in set(Language):
            return Language(str(said))
    return _accepted(request.headers.get("accept-language", ""))


def texts(language: Language) -> Texts:
    """The texts of one language.

    Raises:
        KeyError: when called with a key that the catalogue does not have.
    """
    place = tuple(Language).index(language)

    def text(key: str, **values: object) -> str:
        found = catalogue()[key][place]
        return found.format(**values) if values else found

    return text


def translated(english: str, language: Language) -> str | None:
    """A text of the catalogue that has no places, by its English; None where there is none."""
    place = tuple(Language).index(language)
    return next((pair[place] for pair in catalogue().values() if pair[1] == english), None)


@cache
def catalogue() -> Mapping[str, tuple[str, str]]:
    """Every text by `page.key`: Chinese, English."""
    tables = tomllib.loads(files("api.pages").joinpath("catalogue.toml").read_text("utf-8"))
    return {f"{page}.{key}": (zh, en) for page, entries in tables.items() for key, (zh, en) in entries.items()}


def _accepted(header: str) -> Language:
    """The spoken language of the highest quality, the first of equals; a quality that cannot be read is 0."""
    best, quality = Language.ZH, 0.0
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        primary = tag.partition("-")[0].lower()
        weight = _quality(parameter)
        if primary in set(Language) and weight > quality:
            best, quality = Language(primary), weight
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
