"""Shapes of power over time, in whole mW; integers alone, so that every machine computes the same."""

from firmware_sim.instruments.mode import Curve


def steady(level_mw: int) -> Curve:
    """Always the same power."""
    return lambda _t_ms, _elapsed_ms: level_mw


def ramp(*, from_mw: int, to_mw: int, over_ms: int) -> Curve:
    """A straight line from the beginning of the stage, level after over_ms."""
    return lambda _t_ms, elapsed_ms: from_mw + (to_mw - from_mw) * min(elapsed_ms, over_ms) // over_ms


def swing(*, mean_mw: int, swing_mw: int, period_ms: int) -> Curve:
    """A triangle between mean_mw +- swing_mw; it follows the time of day, so stages do not break it."""
    half_ms = period_ms // 2

    def curve(t_ms: int, _elapsed_ms: int) -> int:
        from_peak_ms = abs(t_ms % period_ms - half_ms)
        return mean_mw + swing_mw - 2 * swing_mw * from_peak_ms // half_ms

    return curve
