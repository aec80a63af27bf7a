"""How far a verification is, for whoever waits."""

from collections.abc import Callable
from typing import Final

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""
PHASES: Final = 3
"""Envelopes take about one part of three of the time [D]; only the progress bar cares."""
