"""What single frames and neighbours say of themselves: steps V03 (validity), V05, V07, V09 and V14 frame by frame.

Frames of a stream come in rising order of seq, except where a clock went astray; only neighbours are compared.
Does not: verify signatures or links (`chain`), look at energy (`registers`) or compute hours (`recompute`).
"""

from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, Final

from contract.frame import Content, Genesis, Measurement, Meter, Outage, span_ms
from contract.registry import Binding, GatewayKey, Role, covers
from contract.states import ClockState, MeterState, Source
from contract.units import utc_text
from metering.core.evidence import Link
from metering.verifier.anchor import overlap
from metering.verifier.findings import Findings
from metering.verifier.form import Registered

if TYPE_CHECKING:
    from contract.ids import StreamId

MAX_AHEAD_MS: Final = 600_000
"""How far a gateway's clock may be ahead of the verifier's."""
_DRIFT_MS: Final = 2_000
_DRIFT_PPM: Final = 500
"""Two clocks of one computer may differ by so much between two frames before it is noted [D]."""
_UNSURE: Final = {ClockState.UNSYNCHRONISED, ClockState.STEPPED}


class Contents:
    """Takes frames one after the other and notes what is wrong with them."""

    def __init__(self, known: Registered, now_ms: int, findings: Findings) -> None:
        self._known = known
        self._until_ms = now_ms + MAX_AHEAD_MS
        self._findings = findings
        self._last: dict[StreamId, Link] = {}
        self._meters: dict[StreamId, Meter] = {}

    def take(self, link: Link, key: GatewayKey) -> None:
        """Look at a frame: by itself, beside the register, and beside the frame before it."""
        name = f"frame {link.seq} of stream {link.stream_id.hex()}"
        before = self._last.get(link.stream_id)
        follows = before is not None and link.seq == before.seq + 1
        if before is not None and not follows:
            self._meters.pop(link.stream_id, None)
        self._beginning(link, key, name)
        self._times(link.content, key, name)
        self._bound(link.content, key, name)
        if before is not None and before.seq < link.seq:
            self._clocks(before, link, name, follows=follows)
        self._meter(link, name)
        self._last[link.stream_id] = link

    def _beginning(self, link: Link, key: GatewayKey, name: str) -> None:
        content = link.content
        if isinstance(content, Genesis) != (link.seq == 0):
            self._findings.add("wrong-beginning", name)
        if isinstance(content, Genesis) and (content.site, content.gateway) != (key.site, key.gateway):
            begun = f"{name} begins a stream of {content.site}/{content.gateway}"
            self._findings.add("wrong-gateway", f"{begun}, signed by {key.site}/{key.gateway}")

    def _times(self, content: Content, key: GatewayKey, name: str) -> None:
        if content.clock is ClockState.SIMULATED:
            if not self._known.simulation:
                self._findings.add("simulated-clock", name)
        elif span_ms(content)[1] > self._until_ms:
            self._findings.add("future", f"{name} speaks of {utc_text(span_ms(content)[1])}")
        if content.clock in _UNSURE:
            self._findings.add("clock-unsure", f"{name}: {content.clock.name.lower()}")
        if content.clock is ClockState.UNSYNCHRONISED:
            self._findings.add("validity-unjudged", name)
        elif not all(covers(key.valid_from_ms, key.valid_to_ms, at) for at in moments(content)):
            self._findings.add("key-not-valid", f"{name}: key {key.kid.hex()} at {utc_text(moments(content)[0])}")

    def _bound(self, content: Content, key: GatewayKey, name: str) -> None:
        """What no meter of its own measured earns nothing anyway; what one did must come from its own gateway.

        A registry may be mended late, so that stored frames are of a meter that was not bound then: they are noted.
        """
        # The times of an unsynchronised clock say nothing yet: its meter must have been bound at some time.
        known = () if content.clock is ClockState.UNSYNCHRONISED else moments(content)
        bindings = self._known.bindings
        here = [one for one in bindings if one.gateway == key.gateway and all(_holds(one, at) for at in known)]
        if isinstance(content, Measurement) and content.meter not in map(meter_of, here):
            own = [one for one in bindings if one.role is Role.SOLE and meter_of(one) == content.meter]
            theirs = [{one.gateway for one in own if _holds(one, at)} for at in moments(content)]
            # Of a clock that was astray nobody knows whether the meter had gone over to this gateway by then.
            foreign = bool(known) and all(theirs) and key.gateway not in set.union(*theirs)
            kind = "foreign-gateway" if foreign else "wrong-meter" if here else "not-bound"
            self._findings.add(kind, f"{name}: {_named(content.meter)} at {key.gateway}")
        elif not here:
            self._findings.add("not-bound", f"{name}: {content.instrument} at {key.gateway}")

    def _clocks(self, before: Link, link: Link, name: str, *, follows: bool) -> None:
        one, other = before.content, link.content
        if not (isinstance(one, Measurement) and isinstance(other, Measurement)) or one.boot_id != other.boot_id:
            return
        mono_ms = other.mono_ms[0] - one.mono_ms[-1]
        if mono_ms <= 0:
            self._findings.add("clock-back", f"{name}: {mono_ms} ms after the frame before, in one boot")
        steady = one.clock is other.clock and one.clock not in _UNSURE and other.source is Source.SAMPLED
        drift_ms = abs(other.utc_ms[0] - one.utc_ms[-1] - mono_ms)
        if follows and steady and drift_ms > _DRIFT_MS + mono_ms * _DRIFT_PPM // 1_000_000:
            self._findings.add("clock-drift", f"{name}: by {drift_ms} ms")

    def _meter(self, link: Link, name: str) -> None:
        """A gateway tells of a new serial number in the first frame that has it, also across outages and restarts."""
        content = link.content
        if not isinstance(content, Measurement):
            return
        before = self._meters.get(link.stream_id)
        if before is not None and before.serial != content.meter.serial:
            told = MeterState.SERIAL_CHANGED in content.meter_state
            self._findings.add("meter-changed" if told else "silent-change", f"{name}: {_named(content.meter)}")
        self._meters[link.stream_id] = content.meter


def _holds(binding: Binding, time_ms: int) -> bool:
    return covers(binding.valid_from_ms, binding.valid_to_ms, time_ms)


def moments(content: Content) -> tuple[int, int]:
    """The instants at which key and binding must hold: those of admission (`collector`)."""
    match content:
        case Measurement():
            return content.utc_ms[0], content.utc_ms[-1]
        case Outage():
            # The blind time may have begun under an older key or binding.
            return content.to_ms, content.to_ms
        case Genesis():
            return content.created_ms, content.created_ms


def meter_of(binding: Binding) -> Meter:
    """The meter that a binding names."""
    return Meter(
        model=binding.meter_model,
        serial=binding.meter_serial,
        ct_primary_a=binding.ct_primary_a,
        ct_secondary_a=binding.ct_secondary_a,
    )


def own_clash(bindings: Iterable[Binding]) -> tuple[Binding, Binding] | None:
    """Two bindings that are valid at one moment, if there are any."""
    last: Binding | None = None
    for one in sorted(bindings, key=lambda each: each.valid_from_ms):
        if last is not None and overlap(last, one):
            return last, one
        if last is None or _end(one) > _end(last):
            last = one
    return None


def _end(binding: Binding) -> float:
    return inf if binding.valid_to_ms is None else binding.valid_to_ms


def _named(meter: Meter) -> str:
    return f"{meter.model} {meter.serial}, CT {meter.ct_primary_a}/{meter.ct_secondary_a}"
