"""A page: a template, the words of its language, and what every page shows.

Text from outside is escaped by the templates, and by `as_json` inside a script block.
Does not: fetch anything but whether hours are simulated.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from api.auth import Account, Permission
from api.pages import language, shown, simulated
from api.pages.language import Language
from api.pages.sums import Sum
from contract.registry import Instrument
from contract.states import State
from contract.units import bounds_text, hours_text, share_text, utc_text
from contract.usage import Party, Session
from metering.views import words
from metering.views.words import Lang

_YEAR_S: Final = 365 * 86_400
_STATES: Final = (
    State.RUNNING, State.WARMUP, State.COOLDOWN, State.STANDBY, State.OFF, State.FAULT, State.UNKNOWN,
)  # fmt: skip
"""In the order of legends."""
_ESCAPES: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def page(
    request: Request, template: str, account: Account | None, status: int = HTTPStatus.OK, **values: object
) -> HTMLResponse:
    """Render a template in the language of the request; a choice made by `?lang=` is kept in a cookie.

    Args:
        request: whose language, and whose address for the link to the other language.
        template: a file of `templates`.
        account: who looks; None where nobody is signed in.
        status: of HTTP.
        values: what the template shows.

    Raises:
        StorageError: the database failed.
    """
    spoken = language.chosen(request)
    values |= {"account": account, "lang": spoken, "t": language.texts(spoken), "here": request.url.path}
    values |= {"may": _permissions(account), **_other_language(request, spoken)}
    values |= {"states": _STATES, **_live_words(spoken), "simulation": simulated.is_simulation(request, status)}
    found = HTMLResponse(_environment(spoken).get_template(template).render(values), status)
    found.headers["Content-Language"] = spoken.tag
    found.headers["Cache-Control"] = "no-store"
    found.headers["Vary"] = "Accept-Language, Cookie"
    if request.query_params.get(language.PARAMETER) == spoken:
        found.set_cookie(language.COOKIE, spoken, max_age=_YEAR_S, path="/", samesite="lax")
    return found


def as_json(value: object) -> Markup:
    """JSON that can stand in a script block: no `<` can end it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_ESCAPES))  # noqa: S704 - what HTML would read is escaped


def name_of(instrument: Instrument, spoken: Language) -> str:
    """An instrument's name in a language."""
    return instrument.name_zh if spoken is Language.ZH else instrument.name_en


def _permissions(account: Account | None) -> dict[str, bool]:
    return {one.value: account is not None and account.may(one) for one in Permission}


def _live_words(spoken: Language) -> dict[str, object]:
    """By the codes of `/api/v1/live`, for static/live.js."""
    doubts = {key: language.texts(spoken)(key) for key in language.catalogue() if key.startswith("doubt.")}
    return {
        "state_words": {state.name: words.state_label(state, Lang(spoken)) for state in State},
        "doubt_words": {key.removeprefix("doubt."): text for key, text in doubts.items()},
    }


def _other_language(request: Request, spoken: Language) -> dict[str, object]:
    other = Language.EN if spoken is Language.ZH else Language.ZH
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != language.PARAMETER]
    query = urlencode([*kept, (language.PARAMETER, other.value)])
    return {"other_language": other, "other_language_href": f"{request.url.path}?{query}"}


@cache
def _environment(spoken: Language) -> Environment:
    made = Environment(
        loader=PackageLoader("api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(_filters(spoken))
    return made


def _filters(spoken: Language) -> dict[str, Callable[..., Any]]:
    lang, texts = Lang(spoken), language.texts(spoken)
    return {
        **_NUMBERS,
        "name": lambda instrument: name_of(instrument, spoken),
        "state_word": lambda state: words.state_label(state, lang),
        "party_word": lambda party: words.party_label(party, lang),
        "unbroken": words.unbroken,
        "class_word": lambda instrument: _class_word(instrument, texts),
        "parties": _parties,
        "rules": _rules,
    }


def _class_word(instrument: Instrument, texts: language.Texts) -> str:
    """A class by its name in the catalogue; one that is not there as the registry says it."""
    key = f"class.{instrument.instrument_class}"
    return texts(key) if key in language.catalogue() else instrument.instrument_class


def _parties(sessions: Sequence[Session]) -> list[Party]:
    """Whose sessions these are, each party once."""
    return list(dict.fromkeys(one.party for one in sessions))


def _rules(rules: Mapping[str, object]) -> list[tuple[str, str]]:
    """A policy's rules as they were approved."""
    return [(key, json.dumps(value, ensure_ascii=False)) for key, value in rules.items()]


def _lower_hours(duration_ms: int) -> str:
    """A lower bound in hours, rounded down."""
    return bounds_text(duration_ms, duration_ms)[1:].partition(",")[0]


_NUMBERS: Final[Mapping[str, Callable[..., Any]]] = {
    "hours": hours_text,
    "hours_down": _lower_hours,
    "bounds": lambda ends: bounds_text(*ends),
    "share": lambda of: share_text(*of),
    "iso": utc_text,
    "moment": shown.moment,
    "time": shown.time_of_day,
    "ending": shown.ending,
    "lasting": shown.length,
    "age": shown.age,
    "watts": shown.watts,
    "zone": shown.zone_text,
    "short": shown.short,
    "count": shown.count,
    "as_json": as_json,
    "sum_of": lambda day: Sum.of([day]),
}
