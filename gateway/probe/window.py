"""What only several looks can say: whether a fault stays, and whether the energy register keeps step with the power."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from gateway.config import MeterConfig
from gateway.meters.registers import DeviceModel, Quantity
from gateway.probe.look import Look
from gateway.probe.rules import judge
from gateway.probe.words import Code, Finding, say

_LONGEST_GAP_MS: Final = 5_000  # power between looks further apart is a guess
_STEPS: Final = 10  # so many of the register's own steps have to be expected before it is judged
_MW_MS_PER_MWH: Final = 3_600_000
_MWH_PER_KWH: Final = 1_000_000
_MANTISSA_BITS: Final = 23


def judge_window(looks: Sequence[Look], model: DeviceModel, declared: MeterConfig) -> tuple[Finding, ...]:
    """What is not plausible in the last of some looks, the worst first.

    What was not there in the look before is left out: a load that changes while its registers are read looks like a
    fault for one look.
    """
    found = judge(looks[-1], model, declared)
    if len(looks) > 1:
        before = {(each.code, each.phases) for each in judge(looks[-2], model, declared)}
        found = tuple(each for each in found if (each.code, each.phases) in before)
    found += _energy(_unbroken(looks), model.energy)
    return tuple(sorted(found, key=lambda each: -each.light))


def _unbroken(looks: Sequence[Look]) -> list[Look]:
    """The last looks that are close enough to one another for power to be added up between them."""
    kept = [looks[-1]]
    for before, after in pairwise(reversed(looks)):
        if not 0 < before.at_ms - after.at_ms <= _LONGEST_GAP_MS or None in (after.power_mw, after.energy_mwh):
            break
        kept.append(after)
    return kept[::-1]


def _energy(looks: Sequence[Look], register: Quantity) -> tuple[Finding, ...]:
    last = looks[-1]
    if last.power_mw is None or last.energy_mwh is None or last.power_mw < 0:
        return ()
    counts_mwh = [look.energy_mwh or 0 for look in looks]
    fell_mwh = max((before - after for before, after in pairwise(counts_mwh)), default=0)
    if fell_mwh > 0:
        return (say(Code.ENERGY_FELL, advance=f"{fell_mwh / 1_000:g}"),)
    expected_mwh = sum(
        ((before.power_mw or 0) + (after.power_mw or 0)) / 2 * (after.at_ms - before.at_ms) / _MW_MS_PER_MWH
        for before, after in pairwise(looks)
    )
    step_mwh = _step_mwh(register, last.energy_mwh)
    if expected_mwh < _STEPS * step_mwh:
        return (_unseen(_STEPS * step_mwh, last.power_mw),)
    return _in_step(expected_mwh, counts_mwh[-1] - counts_mwh[0], step_mwh, (last.at_ms - looks[0].at_ms) / 1_000)


def _in_step(expected_mwh: float, advance_mwh: int, step_mwh: float, seconds: float) -> tuple[Finding, ...]:
    if advance_mwh != 0 and abs(advance_mwh - expected_mwh) <= 0.25 * expected_mwh + 2 * step_mwh:
        return ()
    return (
        say(
            Code.ENERGY_PACE if advance_mwh else Code.ENERGY_STILL,
            seconds=f"{seconds:.0f}",
            expected=f"{expected_mwh / 1_000:.1f}",
            advance=f"{advance_mwh / 1_000:.1f}",
        ),
    )


def _unseen(needed_mwh: float, power_mw: int) -> Finding:
    if power_mw == 0:
        return say(Code.ENERGY_UNSEEN, need_zh="当前无功率", need_en="no power flows")
    seconds = math.ceil(needed_mwh * _MW_MS_PER_MWH / power_mw / 1_000)
    return say(
        Code.ENERGY_UNSEEN,
        need_zh=f"按当前功率需以 --watch 观察约 {seconds} s",
        need_en=f"at this power --watch it for about {seconds} s",
    )


def _step_mwh(register: Quantity, energy_mwh: int) -> float:
    """The least step the register can make, mWh: the model's, or a float32's where that is coarser."""
    if register.type != "float32" or energy_mwh == 0:
        return register.resolution
    exponent = math.floor(math.log2(energy_mwh / _MWH_PER_KWH))
    return max(register.resolution, math.ldexp(_MWH_PER_KWH, exponent - _MANTISSA_BITS))
