"""Verdicts on whole packs: honest, with gaps, without a register of trust, or no packs at all."""

import json
from collections.abc import Callable
from dataclasses import replace

import forging
import packs
import pytest
from evidence import Gateway, Stream
from packs import ALPHA, ASKED, DAY, NOW_MS, Lab, checked, lab, measured, names

from contract import seal
from contract.frame import Content, Genesis
from contract.states import Assurance, ClockState, Source
from contract.units import MS_PER_HOUR
from contract.usage import Party
from metering.verifier import container, form
from metering.verifier.opening import NotAPackError
from metering.verifier.report import Verdict
from metering.verifier.verify import verify

HOUR = MS_PER_HOUR


def test_an_honest_pack_is_verified_to_the_millisecond() -> None:
    honest = lab()
    report = checked(honest)
    assert (report.verdict, report.findings.codes(), names(report)) == (Verdict.VERIFIED, [], set())
    assert report.hours
    stated = honest.content().totals
    assert report.hours.totals == {int(level): total for level, total in stated.items()}
    assert report.hours.totals[3]["effective_ms"] == 12 * HOUR
    found = report.as_json(0.5)
    assert (found["effective_h"], found["coverage"], found["frames"]) == (12.0, 1.0, 50)
    assert found["effective_low_h"] <= 12 <= found["effective_high_h"]
    assert (found["level"], found["anchored"], found["simulation"]) == (3, True, False)
    assert len(found["steps"]) == 20
    assert json.dumps(found)


def test_the_same_content_gives_the_same_bytes() -> None:
    assert lab().pack() == lab().pack()


def test_without_a_register_of_trust_nothing_is_verified_but_a_contradiction_is_still_one() -> None:
    report = verify(lab().pack(), None, NOW_MS)
    assert (report.verdict, report.evidence) == (Verdict.UNANCHORED, Verdict.VERIFIED)
    assert report.as_json(0)["effective_h"] == 12.0
    torn = forging.reframed(lab().pack(), lambda _, frames: frames[:-1])
    assert verify(torn, None, NOW_MS).verdict is Verdict.REJECTED


def test_gaps_are_listed_with_their_reason_and_rejected_packs_show_no_hours() -> None:
    report = checked(lab(packs.with_gap))
    assert report.verdict is Verdict.VERIFIED_WITH_GAPS
    found = report.as_json(0)
    (gap,) = found["gaps"]
    assert gap["reason"] == "outage"
    assert gap["to_ms"] - gap["from_ms"] == round((1 - found["coverage"]) * 2 * DAY)
    rejected = checked(lab(), forging.edited(lab().pack(), form.STATEMENTS, lambda value: value.pop()))
    assert rejected.as_json(0)["effective_low_h"] is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda number, content: None if number == 99 else content, ""),
        (measured(14, lambda one: replace(one, clock=ClockState.UNSYNCHRONISED)), "clock-not-good-enough"),
        (measured(14, lambda one: replace(one, source=Source.IMPORTED)), "imported-readings"),
    ],
)
def test_what_earns_nothing_is_a_gap_with_its_reason(change: packs.Change, reason: str) -> None:
    report = checked(lab(change))
    assert report.hours
    assert [gap.why for gap in report.hours.gaps if gap.why == reason] == [reason] * bool(reason)
    assert report.verdict is (Verdict.VERIFIED_WITH_GAPS if reason else Verdict.VERIFIED)


def without_one(number: int) -> Lab:
    """A frame was sent and is not there."""
    honest = lab()
    return replace(honest, streams=[[raw for at, raw in enumerate(honest.streams[0]) if at != number]])


def test_a_missing_frame_is_a_gap_and_said_to_be_missing() -> None:
    report = checked(without_one(20))
    assert report.hours
    assert ([gap.why for gap in report.hours.gaps], "missing-frames" in names(report)) == (["hole-in-sequence"], True)


def test_days_without_a_policy_earn_nothing_and_are_gaps() -> None:
    report = checked(lab(policies=[packs.policy(1, ASKED[0] + DAY, None)]))
    assert report.hours
    assert [(gap.from_ms, gap.to_ms, gap.why) for gap in report.hours.gaps] == [(ASKED[0], ASKED[0] + DAY, "no-policy")]
    assert "no-policy" in names(report)


def test_equivocation_counts_nothing_from_there_on_and_is_no_lie() -> None:
    honest = lab()
    twin = Stream(gateway=ALPHA, frames=honest.streams[0][:30])
    twin.add(packs.hour(ALPHA, ASKED[0]))
    report = checked(replace(honest, rivals=[honest.streams[0][30], twin.frames[30]]))
    assert report.verdict is Verdict.VERIFIED_WITH_GAPS
    assert "equivocation" in names(report)
    assert report.hours
    assert report.hours.gaps[-1].why == "equivocated"


def test_ends_that_come_after_the_pack_do_not_concern_it() -> None:
    honest, later = lab(), ASKED[1] + 30 * DAY
    pack = honest.pack()
    honest.bindings = [replace(honest.bindings[0], valid_to_ms=later)]
    honest.keys = [replace(honest.keys[0], valid_to_ms=later)]
    honest.policies = [honest.policies[0], replace(honest.policies[1], valid_to_ms=later)]
    assert honest.pack() == pack
    assert checked(honest, pack).verdict is Verdict.VERIFIED


@pytest.mark.parametrize("place", range(6))
def test_a_statement_or_total_that_says_more_is_recomputed(place: int) -> None:
    def more(one: dict[str, int]) -> None:
        for name in ("run_ms", "effective_ms"):
            one[name] += 1

    honest = lab()
    pack = forging.edited(honest.pack(), form.STATEMENTS, lambda said: more(said[place]))
    assert checked(honest, pack).findings.codes() == ["V12"]
    pack = forging.edited(honest.pack(), form.MANIFEST, lambda said: more(said["totals"]["L3"]))
    assert checked(honest, pack).findings.codes() == ["V12"]


def test_states_that_do_not_add_up_and_parts_over_their_whole_are_named() -> None:
    honest = lab()

    def idle(said: list[dict[str, dict[str, int]]]) -> None:
        said[1]["states_ms"]["STANDBY"] += 1

    assert checked(honest, forging.edited(honest.pack(), form.STATEMENTS, idle)).findings.codes() == ["V12", "V13"]

    def busy(said: list[dict[str, dict[str, list[int]]]]) -> None:
        said[1]["external_ms"]["A1"][1] = DAY + 1

    assert checked(honest, forging.edited(honest.pack(), form.STATEMENTS, busy)).findings.codes() == ["V12", "V16"]


def test_a_day_called_provisional_is_said_to_be_so() -> None:
    report = checked(lab(provisional=True))
    assert report.verdict is Verdict.VERIFIED
    assert report.as_json(0)["provisional"] == ["2025-03-10", "2025-03-11", "2025-03-11"]


def test_imported_hours_are_telemetry_and_the_headline_says_so() -> None:
    imported = lab(measured(0, lambda one: replace(one, source=Source.IMPORTED), on=True))
    assert checked(imported).as_json(0)["effective_low_h"] == 0
    found = checked(replace(imported, level=Assurance.TELEMETRY)).as_json(0)
    assert (found["level"], found["effective_h"], found["levels"]["L3"]["effective_h"]) == (2, 12.0, 0.0)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"hello", forging.zipped({"manifest.json": b"{}"})])
def test_what_is_no_pack_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(NotAPackError):
        verify(raw, None, NOW_MS)


def more(pack: bytes, name: str, content: bytes) -> bytes:
    return forging.repacked({**forging.members(pack), name: content})


def spoilt(pack: bytes, *, listed: bool) -> bytes:
    found = forging.members(pack)
    found[form.RECORDS] += b"\n"
    return forging.repacked(found) if listed else forging.zipped(found)


def less(pack: bytes, name: str) -> bytes:
    return forging.repacked({each: raw for each, raw in forging.members(pack).items() if each != name})


OTHERS: dict[str, Callable[[bytes], bytes]] = {
    "a member nobody knows": lambda pack: more(pack, "readme.txt", b"hello"),
    "a way out of the folder": lambda pack: more(pack, "frames/../../etc/passwd", b"x"),
    "a member less": lambda pack: less(pack, form.RIVALS),
    "a newer version": lambda pack: forging.edited(pack, form.MANIFEST, lambda said: said.update(version=2)),
    "a version that is no number": lambda pack: forging.edited(
        pack, form.MANIFEST, lambda said: said.update(version=True)
    ),
    "a field more": lambda pack: forging.edited(pack, form.MANIFEST, lambda said: said.update(more=1)),
    "a member that is not as listed": lambda pack: spoilt(pack, listed=False),
    "another writing": lambda pack: spoilt(pack, listed=True),
    "a byte after": lambda pack: pack + b"\0",
    "bytes before": lambda pack: container.START + pack,
}


@pytest.mark.parametrize("what", OTHERS)
def test_unknown_members_versions_and_other_writings_are_refused(what: str) -> None:
    assert checked(lab(), OTHERS[what](lab().pack())).findings.codes() == ["V01"]


def test_sessions_have_no_anchor_yet_and_the_report_says_so() -> None:
    """Not caught: a laboratory that rewrites who used the instrument and states it anew. Only a log would show it."""
    lying = lab(sessions=[packs.session("s-1", 9, 12, Party.EXTERNAL), packs.session("s-2", 14, 17, Party.EXTERNAL)])
    report = checked(lying)
    assert report.verdict is Verdict.VERIFIED
    assert any(line.startswith("sessions:") for line in report.as_json(0)["unanchored"])


def test_a_pack_of_two_gateways_takes_both_their_keys() -> None:
    beta = Gateway(name="beta")
    later = packs.begin_ms(23)
    first = packs.stream(change=lambda number, content: content if number < 23 else None)

    def second(number: int, content: Content) -> Content | None:
        if number < 23 and not isinstance(content, Genesis):
            return None
        content = replace(content, instrument=ALPHA.instrument)
        return replace(content, created_ms=later) if isinstance(content, Genesis) else content

    both = lab(keys=[ALPHA.gateway_key(), beta.gateway_key()])
    both.streams = [first, packs.stream(beta, second)]
    one, other = ALPHA.binding(), replace(beta.binding(), instrument=ALPHA.instrument, valid_from_ms=later)
    both.bindings = [replace(one, valid_to_ms=later), other]
    both.keys.sort(key=lambda key: key.kid)
    report = checked(both)
    assert report.findings.codes() == []
    assert len(report.as_json(0)["keys"]) == 2
    swapped = replace(both, keys=[replace(key, gateway=ALPHA.gateway_key().gateway) for key in both.keys])
    assert checked(swapped).verdict is Verdict.REJECTED
    assert seal.key_id(beta.public) in {key.kid for key in both.keys}
