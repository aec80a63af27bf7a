"""Whether one look at a meter is plausible. Pure; what needs time is in `window`.

Cannot see: the direction in which the phases follow one another (the registers hold magnitudes, and those are the same
for both); voltage and current moved on together, because every phase is then whole; a wrong ratio that the meter does
not serve; anything about a phase without load.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.config import MeterConfig
from gateway.meters.registers import DeviceModel
from gateway.probe.look import Look, PhaseLook
from gateway.probe.words import Code, Finding, say

_LOAD_VA: Final = 20.0  # less than this says nothing about a phase
_NEGATIVE_W: Final = -2.0
_DEAD_V: Final = 10.0
_VOLTS: Final = (198.0, 253.0)  # Source: GB/T 12325-2008 (220 V - 10 %) and EN 50160 (230 V + 10 %)
_VOLTS_60_HZ: Final = (99.0, 132.0)  # networks of 110 V to 120 V have 60 Hz
_HERTZ: Final = ((49.0, 51.0), (59.0, 61.0))
_OVERLOAD: Final = 1.2  # of its primary current a transformer still measures. Source: IEC 61869-2, table 201


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phase:
    """A phase in V, A and W; what was not shown is NaN, of which every comparison is false."""

    name: str
    volts: float
    amps: float
    watts: float
    factor: float

    @property
    def volt_amps(self) -> float:
        return self.volts * self.amps

    @property
    def ratio(self) -> float:
        """Power factor by V, A and W, which one answer held: they are of one moment."""
        return self.watts / self.volt_amps if self.volt_amps else math.nan

    @property
    def loaded(self) -> bool:
        return self.volt_amps >= _LOAD_VA

    @property
    def negative(self) -> bool:
        return self.watts < _NEGATIVE_W


def names(phases: int) -> tuple[str, ...]:
    """What phases are called."""
    return tuple(f"L{place}" for place in range(1, phases + 1)) if phases > 1 else ("L",)


def judge(look: Look, model: DeviceModel, declared: MeterConfig) -> tuple[Finding, ...]:
    """What is not plausible in one look, or cannot be seen in it."""
    shown = [_of(name, phase) for name, phase in zip(names(len(look.phases)), look.phases, strict=True)]
    measured = [value for phase in shown for value in (phase.volts, phase.amps, phase.watts)]
    if all(math.isnan(value) for value in measured):
        return (say(Code.SILENT),)
    if not any(value for value in [*measured, look.frequency_millihz or 0] if not math.isnan(value)):
        return (say(Code.ALL_ZERO),)
    return (
        *_identity(look),
        *_supply(look, shown),
        *_signs(look, shown),
        *_products(look, shown),
        *_lines(look, shown),
        *_ratio(look, shown, model, declared),
    )


def _of(name: str, phase: PhaseLook) -> _Phase:
    return _Phase(
        name=name,
        volts=_whole(phase.voltage_mv),
        amps=_whole(phase.current_ma),
        watts=_whole(phase.power_mw),
        factor=_whole(phase.power_factor_permille),
    )


def _whole(thousandths: int | None) -> float:
    return math.nan if thousandths is None else thousandths / 1_000


def _identity(look: Look) -> Iterator[Finding]:
    if look.unread:
        yield say(Code.UNREAD, what=", ".join(look.unread))
    if look.serial in (0, 0xFFFF_FFFF):
        yield say(Code.SERIAL, serial=look.serial)


def _supply(look: Look, shown: list[_Phase]) -> Iterator[Finding]:
    hertz = _whole(look.frequency_millihz)
    if not math.isnan(hertz) and not any(low <= hertz <= high for low, high in _HERTZ):
        yield say(Code.FREQUENCY, hertz=f"{hertz:.2f}")
    low, high = _VOLTS
    if 59 <= hertz <= 61 and any(phase.volts < _VOLTS_60_HZ[1] for phase in shown if phase.volts >= _DEAD_V):  # noqa: PLR2004 - the band above
        low, high = _VOLTS_60_HZ
    for phase in shown:
        if phase.volts < _DEAD_V:
            # A stray tenth of an ampere is induced in any open transformer.
            code = Code.CURRENT_WITHOUT_VOLTAGE if phase.amps > _LOAD_VA / low else Code.NO_VOLTAGE
            yield say(code, (phase.name,), amps=f"{phase.amps:.2f}")
        elif not math.isnan(phase.volts) and not low <= phase.volts <= high:
            yield say(Code.VOLTAGE, (phase.name,), volts=f"{phase.volts:.1f}", low=f"{low:.0f}", high=f"{high:.0f}")


def _signs(look: Look, shown: list[_Phase]) -> Iterator[Finding]:
    negative = [phase for phase in shown if phase.negative]
    total = _whole(look.power_mw)
    if not negative:
        if total < _NEGATIVE_W:
            yield say(Code.TOTAL_SIGN, watts=f"{total:.1f}")
        yield from _pairing(shown)
    elif swapped := _swapped(shown):
        yield say(Code.CTS_SWAPPED, swapped)
    elif len(negative) > 1 and all(phase.negative for phase in shown if phase.loaded):
        yield say(Code.ALL_REVERSED, watts=f"{total:.1f}")
    else:
        for phase in negative:
            yield say(Code.CT_REVERSED, (phase.name,), watts=f"{phase.watts:.1f}")


def _swapped(shown: list[_Phase]) -> tuple[str, ...]:
    """Two phases whose transformers are exchanged, or none.

    With a load that has one power factor cos(a) they show cos(a + 120) and cos(a - 120) degrees, which with the third
    phase's cos(a) add up to nothing, whatever a is; a reversed one shows -cos(a) and they do not.
    """
    if len(shown) != 3 or not all(phase.loaded for phase in shown):  # noqa: PLR2004 - phases
        return ()
    ordered = sorted(shown, key=lambda phase: phase.ratio)
    close = abs(sum(phase.ratio for phase in shown)) < 0.1 * ordered[-1].ratio
    return tuple(sorted(phase.name for phase in ordered[:2])) if close else ()


def _pairing(shown: list[_Phase]) -> Iterator[Finding]:
    """One phase far under the others, where no sign gives it away: the load's own angle can hide it."""
    for phase in shown:
        others = [other for other in shown if other is not phase]
        if others and phase.loaded and phase.ratio < 0.35 and all(o.loaded and o.ratio > 0.7 for o in others):  # noqa: PLR2004 - well apart
            yield say(Code.PAIRING, (phase.name,), factor=f"{phase.ratio:.2f}")


def _products(look: Look, shown: list[_Phase]) -> Iterator[Finding]:
    for phase in shown:
        if abs(phase.watts) > 1.05 * phase.volt_amps + 5:
            yield say(Code.PRODUCT, (phase.name,), watts=f"{phase.watts:.1f}", volt_amps=f"{phase.volt_amps:.1f}")
        elif phase.loaded:
            yield from _factors(phase)
    total = _whole(look.power_mw)
    sum_w = sum(phase.watts for phase in shown)
    if abs(sum_w - total) > 10 + 0.05 * sum(abs(phase.watts) for phase in shown):
        yield say(Code.SUM, watts=f"{sum_w:.1f}", total=f"{total:.1f}")


def _factors(phase: _Phase) -> Iterator[Finding]:
    if abs(phase.watts) < 0.01 * phase.volt_amps:
        yield say(Code.NO_POWER, (phase.name,), volt_amps=f"{phase.volt_amps:.1f}")
    elif phase.factor * phase.watts < 0:
        yield say(Code.FACTOR_SIGN, (phase.name,))
    elif abs(phase.factor - phase.ratio) > 0.15:  # noqa: PLR2004 - it was asked for separately: the load may have moved
        yield say(Code.FACTOR, (phase.name,), factor=f"{phase.factor:.2f}", ratio=f"{phase.ratio:.2f}")


def _lines(look: Look, shown: list[_Phase]) -> Iterator[Finding]:
    for place, line_mv in enumerate(look.line_voltages_mv):
        this, following, volts = shown[place], shown[(place + 1) % len(shown)], _whole(line_mv)
        if this.volts < _DEAD_V or following.volts < _DEAD_V:
            continue
        expected = math.sqrt(this.volts**2 + following.volts**2 + this.volts * following.volts)
        between = tuple(sorted((this.name, following.name)))
        if volts < 0.2 * expected:
            yield say(Code.SAME_TAP, between, volts=f"{volts:.1f}")
        elif abs(volts - expected) > 0.1 * expected:
            yield say(Code.LINE_VOLTAGE, between, volts=f"{volts:.1f}", expected=f"{expected:.0f}")


def _ratio(look: Look, shown: list[_Phase], model: DeviceModel, declared: MeterConfig) -> Iterator[Finding]:
    primary_a, secondary_a = declared.ct_primary_a, declared.ct_secondary_a
    transformed = primary_a != secondary_a
    limit_a = _OVERLOAD * primary_a if transformed else model.max_current_a
    for phase in shown:
        if phase.amps > limit_a:
            yield say(Code.OVER_RANGE, (phase.name,), amps=f"{phase.amps:.1f}", limit=f"{limit_a:g}")
    if look.ct_primary_ma is None:
        if transformed:
            yield say(Code.RATIO_UNSEEN, declared=f"{primary_a}/{secondary_a} A")
        return
    shown_a, over_a = look.ct_primary_ma / 1_000, (look.ct_secondary_ma or secondary_a * 1_000) / 1_000
    if abs(shown_a * secondary_a - primary_a * over_a) > 1e-6 * primary_a * over_a:
        yield say(Code.RATIO, shown=f"{shown_a:g}/{over_a:g} A", declared=f"{primary_a}/{secondary_a} A")
