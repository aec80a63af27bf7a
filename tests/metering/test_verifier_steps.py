"""Each step of verification on packs of which only that step can tell what is wrong: all else is put right."""

from collections.abc import Callable
from dataclasses import replace

import forging
import packs
import pytest
from evidence import FROM_MS, Gateway, Stream
from packs import ALPHA, ASKED, DAY, MIDNIGHT_MS, NOW_MS, Lab, checked, lab, measured, names

from contract import seal
from contract.frame import Content, Genesis, Measurement, Meter, Readings, Register
from contract.ids import BootId, SiteId
from contract.registry import rules_hash
from contract.states import ClockState, MeterState
from contract.units import MS_PER_HOUR
from metering.verifier import form
from metering.verifier.anchor import Anchor
from metering.verifier.report import Report, Verdict
from metering.verifier.verify import verify

HOUR = MS_PER_HOUR


def forged(edit: Callable[[Lab], None], change: packs.Change = lambda _, content: content) -> Lab:
    made = lab(change)
    edit(made)
    return made


def resigned(made: Lab) -> None:
    made.streams[0][-1] = made.streams[0][-1][:-1] + bytes((made.streams[0][-1][-1] ^ 1,))


def unlinked(made: Lab) -> None:
    whole = made.streams[0]
    chain = Stream(gateway=ALPHA, frames=whole[:20])
    for number in range(20, packs.FRAMES):
        broken = bytes(31) + b"\1" if number == 20 else None
        chain.add(packs.hour(ALPHA, packs.begin_ms(number)), prev_hash=broken)
    made.streams = [chain.frames]


def beginning_late(made: Lab) -> None:
    """A stream whose frame 0 is a measurement."""
    chain = Stream(gateway=ALPHA)
    for raw in made.streams[0][1:]:
        chain.add(packs.content_of(raw))
    made.streams = [chain.frames]


def closed_key(made: Lab) -> None:
    made.keys = [replace(made.keys[0], valid_to_ms=ASKED[0] + DAY)]


def two_own_meters(made: Lab) -> None:
    made.bindings.append(replace(made.bindings[0], meter_serial="another", valid_from_ms=FROM_MS + 1))


def from_elsewhere(made: Lab) -> None:
    """The same meter, says another gateway that the registry knows."""
    beta = Gateway(name="beta")
    made.streams, made.keys = [again(beta, made.streams[0])], [beta.gateway_key()]


def again(gateway: Gateway, frames: list[bytes]) -> list[bytes]:
    """The same contents in a stream of another gateway."""
    chain = Stream(gateway=gateway)
    for raw in frames:
        content = packs.content_of(raw)
        chain.add(replace(content, gateway=gateway.gateway_key().gateway) if isinstance(content, Genesis) else content)
    return chain.frames


def bound_late(made: Lab) -> None:
    made.bindings = [replace(made.bindings[0], valid_from_ms=ASKED[0] + DAY)]


def approved_at_home(made: Lab) -> None:
    made.policies = [replace(one, approved_body="laboratory") for one in made.policies]


def approved_late(made: Lab) -> None:
    made.policies = [replace(one, approved_at_ms=one.valid_from_ms + 1) for one in made.policies]


def another_hash(made: Lab) -> None:
    made.policies = [replace(one, content_hash=bytes(32)) for one in made.policies]


def nothing(_: Lab) -> None:
    return


def slow(one: Measurement) -> Measurement:
    """The same boot, but its monotonic clock began again."""
    return replace(one, mono_ms=tuple(at - one.mono_ms[0] for at in one.mono_ms))


def hotter(one: Measurement) -> Measurement:
    """A power nobody drew: the register goes on as it did."""
    return replace(one, power=Readings(values=(900_000,) * packs.TICKS))


def fallen(one: Measurement) -> Measurement:
    assert one.energy_begin
    assert one.energy_end
    return replace(
        one,
        energy_begin=Register(time_ms=one.energy_begin.time_ms, energy_mwh=5),
        energy_end=Register(time_ms=one.energy_end.time_ms, energy_mwh=one.energy_end.energy_mwh),
    )


CASES = {
    "bad-signature": ("V02", forged(resigned)),
    "key-not-valid": ("V03", forged(closed_key)),
    "wrong-gateway": (
        "V03",
        lab(lambda _, one: replace(one, site=SiteId("elsewhere")) if isinstance(one, Genesis) else one),
    ),
    "broken-link": ("V05", forged(unlinked)),
    "wrong-beginning": ("V05", forged(beginning_late)),
    "clock-back": ("V07", lab(measured(20, slow))),
    "simulated-clock": ("V07", lab(measured(0, lambda one: replace(one, clock=ClockState.SIMULATED), on=True))),
    "register-disagrees": ("V08", lab(measured(20, hotter))),
    "register-fell": ("V08", lab(measured(20, fallen))),
    "policy-hash": ("V11", forged(another_hash)),
    "policy-approval": ("V11", forged(approved_at_home)),
    "policy-approval ": ("V11", forged(approved_late)),
    "binding-clash": ("V14", forged(two_own_meters)),
    "foreign-gateway": ("V14", forged(from_elsewhere)),
}


@pytest.mark.parametrize("name", CASES)
def test_only_one_step_can_tell(name: str) -> None:
    code, made = CASES[name]
    report = checked(made)
    assert (report.verdict, report.findings.codes()) == (Verdict.REJECTED, [code])
    assert name.strip() in names(report)


def test_a_serial_number_may_change_only_aloud() -> None:
    other = Meter(model="sdm120", serial="new")
    later = packs.begin_ms(23)

    def with_binding(made: Lab) -> None:
        first = replace(made.bindings[0], valid_to_ms=later)
        made.bindings = [first, replace(made.bindings[0], meter_serial="new", valid_from_ms=later)]

    silent = forged(with_binding, measured(23, lambda one: replace(one, meter=other), on=True))
    assert checked(silent).findings.codes() == ["V09"]

    def aloud(number: int, content: Content) -> Content | None:
        if not isinstance(content, Measurement) or number < 23:
            return content
        state = MeterState.SERIAL_CHANGED if number == 23 else MeterState.OK
        return replace(content, meter=other, meter_state=state)

    report = checked(forged(with_binding, aloud))
    assert (report.findings.codes(), "meter-changed" in names(report)) == ([], True)


def test_a_register_that_fell_aloud_or_is_absent_is_noted() -> None:
    told = measured(20, lambda one: replace(fallen(one), meter_state=MeterState.REGISTER_FELL))
    report = checked(lab(told))
    assert (report.verdict, "register-reset" in names(report)) == (Verdict.VERIFIED, True)
    blind = measured(0, lambda one: replace(one, energy_begin=None, energy_end=None), on=True)
    report = checked(lab(blind))
    assert (report.verdict, names(report)) == (Verdict.VERIFIED, {"register-absent"})


def test_what_a_meter_measured_that_was_not_bound_then_earns_nothing_and_is_noted() -> None:
    """A registry may be mended late: nobody lied, and nothing is gained."""
    report = checked(forged(bound_late))
    assert (report.verdict, names(report)) == (Verdict.VERIFIED_WITH_GAPS, {"gap", "not-bound"})
    report = checked(lab(measured(20, lambda one: replace(one, meter=replace(one.meter, ct_primary_a=5)))))
    assert (report.verdict, names(report)) == (Verdict.VERIFIED_WITH_GAPS, {"gap", "wrong-meter"})
    assert report.hours
    assert report.hours.gaps[0].why == "other-meter"


def test_the_future_is_refused() -> None:
    assert checked(lab(), now_ms=MIDNIGHT_MS).findings.codes() == ["V07"]


def test_a_new_boot_begins_a_new_monotonic_clock() -> None:
    rebooted = measured(20, lambda one: replace(slow(one), boot_id=BootId(b"new boot")), on=True)

    def change(number: int, content: Content) -> Content | None:
        found = rebooted(number, content)
        if number > 20 and isinstance(found, Measurement) and isinstance(content, Measurement):
            return replace(found, mono_ms=tuple(at + (number - 20) * HOUR for at in found.mono_ms))
        return found

    assert checked(lab(change)).findings.codes() == []


TRUST: dict[str, Callable[[Anchor], Anchor]] = {
    "V03 unknown-key": lambda trust: replace(trust, keys=()),
    "V03 key-differs": lambda trust: replace(trust, keys=(replace(trust.keys[0], valid_to_ms=ASKED[0]),)),
    "V03 simulation-differs": lambda trust: replace(trust, simulation=True),
    "V11 policy-differs": lambda trust: replace(
        trust, policies=(replace(trust.policies[0], approved_at_ms=1), *trust.policies[1:])
    ),
    "V11 policy-differs ": lambda trust: replace(trust, policies=trust.policies[:1]),
    "V11 policy-differs  ": lambda trust: replace(
        trust, policies=(replace(trust.policies[0], content_hash=bytes(32)), *trust.policies[1:])
    ),
    "V14 binding-differs": lambda trust: replace(trust, bindings=()),
    "V14 binding-differs ": lambda trust: replace(
        trust, bindings=(*trust.bindings, replace(trust.bindings[0], meter_serial="hidden"))
    ),
    "V14 binding-clash": lambda trust: replace(
        trust, bindings=(*trust.bindings, replace(trust.bindings[0], instrument=Gateway(name="other").instrument))
    ),
    "V14 instrument-differs": lambda trust: replace(
        trust, instruments=(replace(trust.instruments[0], time_zone="UTC"),)
    ),
}


@pytest.mark.parametrize("case", TRUST)
def test_what_the_register_of_trust_says_otherwise_rejects(case: str) -> None:
    code, name = case.split(" ")[:2]
    honest = lab()
    report = verify(honest.pack(), TRUST[case](honest.trust()), NOW_MS)
    assert (report.findings.codes(), names(report)) == ([code], {name})


def test_one_number_twice_at_different_times_is_no_way_to_hide_equivocation() -> None:
    made = lab(lambda number, content: None if number == 12 else content)
    twin = Stream(gateway=ALPHA, frames=made.streams[0][:-1])
    raw = twin.add(replace(packs.hour(ALPHA, packs.begin_ms(12)), boot_id=BootId(b"new boot")))
    made.streams.append([raw])
    report = checked(made)
    assert (report.findings.codes(), names(report) - {"gap"}) == (["V05"], {"duplicate"})


def rivals_of(*places: int) -> bytes:
    frames = lab().streams[0]
    found = forging.members(lab().pack())
    return forging.repacked({**found, form.RIVALS: form.sequence([frames[place] for place in places])})


@pytest.mark.parametrize("places", [(30, 30), (30, 31), (30,), (30, 31, 30)])
def test_what_is_shown_as_equivocation_must_be_one(places: tuple[int, ...]) -> None:
    assert checked(lab(), rivals_of(*places)).findings.codes() == ["V05"]


def test_equivocation_of_a_stream_that_is_not_in_the_pack_has_no_place_in_it() -> None:
    chain = Stream(gateway=ALPHA, name="another")
    chain.add(ALPHA.genesis())
    one = chain.add(packs.hour(ALPHA, packs.begin_ms(2)))
    chain.frames.pop()
    other = chain.add(packs.hour(ALPHA, packs.begin_ms(3)))
    found = forging.members(lab().pack())
    pair = sorted((one, other), key=seal.frame_hash)
    shown = forging.repacked({**found, form.RIVALS: form.sequence(pair)})
    assert checked(lab(), shown).findings.codes() == ["V05"]


def test_two_policies_at_once_or_one_that_cannot_be_used_are_refused() -> None:
    both = lab(policies=[packs.policy(1, FROM_MS, None), packs.policy(2, FROM_MS + 1, None)])
    report = checked(both)
    assert "policy-clash" in names(report)
    assert "V11" in report.findings.codes()

    def empty(said: dict[str, list[dict[str, object]]]) -> None:
        said["policies"][0] |= {"rules": {}, "content_hash": rules_hash({}).hex()}

    report = checked(lab(), forging.edited(lab().pack(), form.RECORDS, empty))
    assert (report.findings.codes(), names(report)) == (["V11"], {"policy-unusable"})


def test_a_frame_of_another_algorithm_version_or_instrument_is_refused() -> None:
    honest = lab()

    def last(forged_frame: Callable[[bytes], bytes]) -> Report:
        def edit(name: str, frames: list[bytes]) -> list[bytes]:
            return [*frames[:-1], forged_frame(frames[-1])] if name.startswith("frames/0002") else frames

        return checked(honest, forging.reframed(honest.pack(), edit))

    assert last(lambda raw: raw.replace(b"\xa3\x01\x27", b"\xa3\x01\x26", 1)).findings.codes() == ["V04"]
    assert last(lambda raw: raw[:-1]).findings.codes() == ["V01"]
    chain = Stream(gateway=ALPHA, frames=honest.streams[0][:-1])
    newer = chain.add(packs.hour(ALPHA, packs.begin_ms(49)), version=2)
    assert last(lambda _: newer).findings.codes() == ["V01"]
    chain.frames.pop()
    other = chain.add(replace(packs.hour(ALPHA, packs.begin_ms(49)), instrument=Gateway(name="b").instrument))
    assert last(lambda _: other).findings.codes() == ["V01"]
