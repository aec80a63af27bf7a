"""The result of a probe: what each instrument's devices show and how plausible it is; as JSON, units in the keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.probe.look import Look, PhaseLook
from gateway.probe.rules import names
from gateway.probe.words import Finding, Light

UNREACHED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentReport:
    """What was found at one instrument.

    Attributes:
        address: of the meter, for people.
        look: what the meter showed last; None where it cannot be reached now.
        lines: run-state lines by name, True where closed; None where there are none or they cannot be reached.
        findings: the worst first.
        failures: a sentence for each device that cannot be reached.
    """

    id: str
    model: str
    address: str
    look: Look | None
    lines: Mapping[str, bool] | None
    findings: tuple[Finding, ...]
    failures: tuple[str, ...]

    @property
    def light(self) -> Light:
        """The worst of the findings; red where a device cannot be reached."""
        return Light.RED if self.failures else max((each.light for each in self.findings), default=Light.GREEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found at all instruments asked for."""

    instruments: tuple[InstrumentReport, ...]

    @property
    def light(self) -> Light:
        """The worst of all."""
        return max(each.light for each in self.instruments)

    @property
    def exit_status(self) -> int:
        """0 all green, 1 something yellow or red, 2 a device that cannot be reached."""
        if any(each.failures for each in self.instruments):
            return UNREACHED
        return 0 if self.light == Light.GREEN else 1

    def as_json(self) -> dict[str, Any]:
        """One JSON object; what a meter does not show is null."""
        return {"light": self.light.name.lower(), "instruments": [_instrument(each) for each in self.instruments]}


def _instrument(report: InstrumentReport) -> dict[str, Any]:
    return {
        "id": report.id,
        "light": report.light.name.lower(),
        "model": report.model,
        "address": report.address,
        "meter": None if report.look is None else _meter(report.look),
        "lines": report.lines,
        "findings": [
            {
                "code": each.code.value,
                "light": each.light.name.lower(),
                "phases": list(each.phases),
                "zh": each.zh,
                "en": each.en,
            }
            for each in report.findings
        ],
        "failures": list(report.failures),
    }


def _meter(look: Look) -> dict[str, Any]:
    labels = names(len(look.phases))
    return {
        "serial": None if look.serial is None else str(look.serial),
        "power_w": _whole(look.power_mw),
        "frequency_hz": _whole(look.frequency_millihz),
        "energy_kwh": None if look.energy_mwh is None else look.energy_mwh / 1_000_000,
        "ct_primary_a": _whole(look.ct_primary_ma),
        "ct_secondary_a": _whole(look.ct_secondary_ma),
        "phases": {label: _phase(phase) for label, phase in zip(labels, look.phases, strict=True)},
        "line_voltage_v": {
            f"{label}-{labels[(place + 1) % len(labels)]}": _whole(shown)
            for place, (label, shown) in enumerate(zip(labels, look.line_voltages_mv, strict=False))
        },
    }


def _phase(phase: PhaseLook) -> dict[str, float | None]:
    return {
        "voltage_v": _whole(phase.voltage_mv),
        "current_a": _whole(phase.current_ma),
        "power_w": _whole(phase.power_mw),
        "power_factor": _whole(phase.power_factor_permille),
    }


def _whole(thousandths: int | None) -> float | None:
    return None if thousandths is None else thousandths / 1_000
