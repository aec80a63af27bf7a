"""schemathesis over every JSON route, by several roles and by nobody: no answer breaks the description.

All checks that are on by default are on. One of them is told that 400 is our word for a request that is well formed and
yet not answered (no such day, too long a period): a schema cannot say that. The endless stream is tried by nobody
alone, where it ends at once; tests of its own read it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import schemathesis
from fix_api import Lab, Served
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

EXAMPLES = 5
DESCRIBED = 14
CONFIG = """
max-failures = 20
[generation]
max-examples = {examples}
database = "none"
deterministic = true
[phases.coverage]
enabled = {coverage}
[phases.stateful]
enabled = false
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404"]
"""
"""Coverage, every boundary of every parameter, is the same for all who may ask: it is tried by one of them."""


@contextmanager
def running(lab: Lab) -> Iterator[Served]:
    served = Served(lab)
    try:
        yield served
    finally:
        served.process.stop()


@pytest.mark.parametrize("who", ["auditor", "lab", None])
def test_no_answer_breaks_the_description(who: str | None, lab: Lab) -> None:
    with running(lab) as served:
        assert faults(served, lab.headers(who or "auditor"), as_nobody=who is None, coverage=who == "auditor") == []


def faults(served: Served, headers: dict[str, str], *, as_nobody: bool, coverage: bool) -> list[str]:
    """What schemathesis found wrong."""
    text = CONFIG.format(examples=EXAMPLES, coverage=str(coverage).lower())
    schema = schemathesis.openapi.from_url(
        f"{served.url}api/v1/openapi.json", headers=headers, config=SchemathesisConfig.from_str(text)
    )
    schema.config.update(headers={} if as_nobody else headers, request_timeout=20)
    found: list[str] = []
    tried: set[str | None] = set()
    for event in from_schema(schema if as_nobody else schema.exclude(path="/api/v1/live")).execute():
        if isinstance(event, events.ScenarioFinished):
            tried.add(event.label)
            found += told(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
    assert len(tried) == DESCRIBED - (not as_nobody)
    return found


def told(event: events.ScenarioFinished) -> list[str]:
    return [
        f"{event.recorder.cases[name].value.as_curl_command()}: {one.failure_info}"
        for name, checks in event.recorder.checks.items()
        for one in checks
        if one.failure_info
    ]
