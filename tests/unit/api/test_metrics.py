"""What a monitoring system is told when the books do not balance."""

import pytest

from api.metrics import Metrics
from storage.live import Totals


@pytest.mark.parametrize(
    ("received", "stored", "duplicate", "quarantined", "said"),
    [(6, 3, 2, 1, "1.0"), (7, 3, 2, 1, "0.0"), (5, 3, 2, 1, "0.0"), (0, 0, 0, 0, "1.0")],
)
def test_a_message_without_exactly_one_outcome_is_a_metric(
    received: int, stored: int, duplicate: int, quarantined: int, said: str
) -> None:
    totals = Totals(received=received, stored=stored, duplicate=duplicate, quarantined=quarantined)
    lines = Metrics().text(totals, (), 0).decode().splitlines()
    assert f"jishi_intake_balanced {said}" in lines
