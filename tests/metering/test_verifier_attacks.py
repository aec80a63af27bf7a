"""What an auditor tried against the verifier: forged policies, terminals, crashes, bombs, and what it cannot see."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import forging
import packs
import pytest
from evidence import FROM_MS, Gateway, Stream
from packs import ALPHA, ASKED, DAY, NOW_MS, Lab, checked, lab, measured, names
from rich.console import Console

from contract import seal
from contract.errors import ConfigError
from contract.frame import Content, Measurement, Readings
from contract.ids import BootId
from contract.registry import rules_hash
from contract.states import Assurance, ClockState
from contract.units import MS_PER_HOUR
from metering.verifier import anchor, cli, contents, form, rows, text
from metering.verifier.findings import Findings, shown
from metering.verifier.report import Report, Verdict
from metering.verifier.verify import verify

REAL = packs.policy(1, ASKED[0] + DAY, None)
LAX = packs.policy(1, FROM_MS, ASKED[0] + DAY, enter_w=1.0, leave_w=1.0)
NEW = Gateway(name="alpha")
ROTATED_MS = ASKED[1] + 3 * DAY


def records(edit: Callable[[Any], object]) -> bytes:
    return forging.edited(lab().pack(), form.RECORDS, edit)


def test_a_lax_policy_under_the_name_of_the_approved_one_is_refused() -> None:
    honest = lab(policies=[REAL])
    forged = lab(policies=[LAX, REAL], sessions=[])
    report = verify(forged.pack(), honest.trust(), NOW_MS)
    assert (report.verdict, names(report)) == (Verdict.REJECTED, {"misplaced"})


def test_policies_are_compared_row_by_row_whatever_opens_the_pack() -> None:
    honest = lab(policies=[REAL])
    known = replace(form.records(text.loads(forging.members(honest.pack())[form.RECORDS], fractions=True)))
    for policies in ((LAX, REAL), (REAL, REAL), (LAX,), ()):
        findings = Findings()
        anchor.compare(replace(known, policies=policies), honest.trust(), ASKED, ASKED[1], findings)
        assert [kind.name for kind in findings.kinds()] == ["policy-differs"]
    findings = Findings()
    doubled = replace(known, bindings=known.bindings * 2)
    anchor.compare(doubled, honest.trust(), ASKED, ASKED[1], findings)
    assert [kind.name for kind in findings.kinds()] == ["binding-differs"]


@pytest.mark.parametrize("kind", ["keys", "bindings", "policies", "sessions"])
def test_no_record_stands_twice(kind: str) -> None:
    report = checked(lab(), records(lambda said: said[kind].append(said[kind][0])))
    assert report.verdict is Verdict.REJECTED
    assert "misplaced" in names(report)


def rotated(*later: Content) -> Lab:
    """A stream that goes on under a key which began days after the pack's end."""
    chain = Stream(gateway=NEW, frames=lab().streams[0][:40])
    for content in later:
        chain.add(content)
    keys = [
        replace(ALPHA.gateway_key(), valid_to_ms=ROTATED_MS),
        replace(NEW.gateway_key(), valid_from_ms=ROTATED_MS),
    ]
    return Lab(streams=[chain.frames], keys=keys)


def test_an_outage_that_went_on_past_a_rotation_of_keys_is_no_contradiction() -> None:
    report = checked(rotated(ALPHA.outage(packs.begin_ms(40) - packs.PERIOD_MS, ROTATED_MS + MS_PER_HOUR)))
    assert (report.verdict, names(report)) == (Verdict.VERIFIED_WITH_GAPS, {"gap"})


def astray(number: int = 30) -> Measurement:
    one = packs.hour(ALPHA, packs.begin_ms(number))
    return replace(
        one, clock=ClockState.UNSYNCHRONISED, energy_begin=None, energy_end=None, boot_id=BootId(b"bootbot2")
    )


def test_a_clock_astray_under_a_later_key_is_no_contradiction_and_no_verified_either() -> None:
    report = checked(rotated(astray()))
    assert (report.verdict, report.findings.codes()) == (Verdict.VERIFIED_WITH_GAPS, [])
    assert "validity-unjudged" in names(report)


def test_telemetry_of_an_unknown_time_under_a_closed_key_is_never_simply_verified() -> None:
    changed = measured(0, lambda one: replace(one, clock=ClockState.UNSYNCHRONISED), on=True)
    made = lab(changed, level=Assurance.TELEMETRY)
    made.keys = [replace(made.keys[0], valid_to_ms=packs.begin_ms(1))]
    report = checked(made)
    assert report.verdict is Verdict.VERIFIED_WITH_GAPS
    assert names(report) >= {"validity-unjudged", "clock-unsure"}


def rivals_at(place: int, made: Lab) -> Lab:
    """Two frames for a place of the only stream, of different content."""
    twins = []
    for shift in (0, 1):
        chain = Stream(gateway=ALPHA, frames=made.streams[0][:place])
        twins.append(chain.add(packs.hour(ALPHA, packs.begin_ms(place) + shift)))
    return replace(made, rivals=twins)


def test_equivocation_after_the_pack_is_left_out_of_it_and_refused_in_it() -> None:
    made = lab()
    assert not forging.members(rivals_at(packs.FRAMES, made).pack())[form.RIVALS]
    rivals = sorted(rivals_at(packs.FRAMES, made).rivals, key=seal.frame_hash)
    shown_too = forging.repacked({**forging.members(made.pack()), form.RIVALS: form.sequence(rivals)})
    assert names(checked(made, shown_too)) >= {"rivals"}


def test_another_gateway_of_unknown_time_may_have_had_the_meter_then() -> None:
    beta = Gateway(name="beta")
    chain = Stream(gateway=beta, name="moved")
    chain.add(
        replace(beta.genesis(), instrument=ALPHA.instrument, clock=ClockState.UNSYNCHRONISED, created_ms=ASKED[0])
    )
    chain.add(astray())
    made = lab(keys=sorted((ALPHA.gateway_key(), beta.gateway_key()), key=lambda key: key.kid))
    made.streams.append(chain.frames)
    report = checked(made)
    assert report.findings.codes() == []
    assert "not-bound" in names(report)
    assert report.verdict is Verdict.VERIFIED_WITH_GAPS


HOSTILE = "\x1b[2J\x1b[HVERIFIED\x9b1m\u202e8760 h\x07"


def test_no_character_of_a_pack_moves_a_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = tmp_path / "pack.zip"
    pack.write_bytes(forging.edited(lab().pack(), form.STATEMENTS, lambda said: said[0].update(day=HOSTILE)))
    found, status = cli.run(pack, None)
    cli.show(found, Console(width=80))
    out = capsys.readouterr().out
    assert (status, "VERIFIED" in out) == (1, True)
    assert all(sign.isprintable() or sign == "\n" for sign in out)
    found = checked(lab(), records(lambda said: said["instrument"].update(name_zh=HOSTILE))).as_json(0)
    assert found["codes"] == ["V01"]


def test_what_is_shown_is_short_and_visible() -> None:
    assert shown("质谱仪\u3000a\nb\x1b\u2066") == "质谱仪 a b\ufffd\ufffd"
    assert len(shown("x" * 9_000)) == 200
    for sign in "\x00\n\x7f\x9b\u2028\u2029\u202e\u2066\u200f\u061c":
        with pytest.raises(ValueError, match="control"):
            rows.text(f"a{sign}b")
    assert rows.text("质谱仪\u3000a") == "质谱仪\u3000a"


BIG = int("9" * 4300)


def big_states(said: Any) -> None:  # noqa: ANN401 - JSON is whatever it is
    said[1]["states_ms"].update(STANDBY=BIG, RUNNING=BIG)


CRASHES = {
    "profile list": (form.RECORDS, lambda said: said["policies"][0]["rules"].update(profile=[]), "V11"),
    "profile dict": (form.RECORDS, lambda said: said["policies"][0]["rules"].update(profile={}), "V11"),
    "total list": (form.MANIFEST, lambda said: said["totals"].update(L2=[1]), "V12"),
    "total int": (form.MANIFEST, lambda said: said["totals"].update(L2=1), "V12"),
    "total str": (form.MANIFEST, lambda said: said["totals"].update(L2="x"), "V12"),
    "big states": (form.STATEMENTS, big_states, "V01"),
    "big period": (form.STATEMENTS, lambda said: said[1].update(period_ms=[-BIG, BIG]), "V01"),
    "64 bits": (form.STATEMENTS, lambda said: said[1].update(period_ms=[0, 1 << 63]), "V01"),
    "fraction": (form.STATEMENTS, lambda said: said[1]["states_ms"].update(STANDBY=1e308), "V01"),
}


@pytest.mark.parametrize("case", CRASHES)
def test_nothing_in_a_pack_ends_the_verifier(case: str) -> None:
    name, edit, code = CRASHES[case]
    report = checked(lab(), forging.edited(lab().pack(), name, edit))
    assert (report.verdict, code in report.findings.codes()) == (Verdict.REJECTED, True)


@pytest.mark.parametrize("profile", [[], {}, 1, None])
def test_a_profile_that_is_no_word_is_a_fault_of_the_policy(profile: object) -> None:
    rules = {"profile": profile}
    row = {"rules": rules, "content_hash": rules_hash(rules).hex()}
    changed = records(lambda said: said["policies"][0].update(row))
    assert names(checked(lab(), changed)) == {"policy-unusable"}


def test_whatever_else_breaks_is_a_rejection_with_one_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Report:
        raise ZeroDivisionError("here")

    monkeypatch.setattr(cli, "verify", broken)
    pack = tmp_path / "pack.zip"
    pack.write_bytes(lab().pack())
    found, status = cli.run(pack, None)
    assert (found["verdict"], found["codes"], status) == ("REJECTED", ["V01"], 1)
    assert "ZeroDivisionError" in json.dumps(found)
    cli.show(found, Console(width=80))


def test_too_many_records_frames_or_readings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def many(said: Any) -> None:  # noqa: ANN401 - JSON is whatever it is
        said["policies"] *= form.MAX_RECORDS["policies"]

    report = checked(lab(), records(many))
    assert (report.findings.codes(), names(report)) == (["V01"], {"content"})
    made, pack = lab(), lab().pack()
    for limit in ("MAX_FRAMES", "MAX_TICKS"):
        with monkeypatch.context() as patched:
            patched.setattr(form, limit, 49)
            report = checked(made, pack)
            assert (report.verdict, names(report)) == (Verdict.REJECTED, {"too-large"})
    monkeypatch.setattr(form, "MAX_FRAMES", 49)
    with pytest.raises(ConfigError, match="nothing was exported"):
        made.pack()


def test_policies_and_register_come_before_the_days_and_the_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: object) -> None:
        raise AssertionError

    clash = lab(policies=[packs.policy(1, FROM_MS, None)]).pack()
    clash = forging.edited(
        clash, form.RECORDS, lambda said: said["policies"].append({**said["policies"][0], "version": 2})
    )
    trust = replace(lab().trust(), bindings=())
    monkeypatch.setattr("metering.verifier.verify.Chains", reached)
    assert names(verify(lab().pack(), trust, NOW_MS)) == {"binding-differs"}
    monkeypatch.setattr("metering.verifier.opening.daily.parts", reached)
    assert names(verify(clash, None, NOW_MS)) == {"policy-clash"}


def test_own_meters_at_once_are_found_wherever_they_stand() -> None:
    one = ALPHA.binding()

    def spans(*limits: tuple[int, int | None]) -> bool:
        return contents.own_clash([replace(one, valid_from_ms=a, valid_to_ms=b) for a, b in limits]) is not None

    assert not spans((0, 5), (5, 9), (9, None))
    assert spans((5, 9), (0, 6))
    assert spans((0, None), (2, 3))
    assert spans((0, 10), (1, 1), (4, 5))
    assert not spans((5, 5), (7, None), (0, 5))


def test_the_register_of_trust_has_one_reading() -> None:
    good = json.loads(anchor.dumps(lab().trust()))
    assert anchor.loads(json.dumps(good).encode()).keys
    for version in (True, 1.0, "1"):
        with pytest.raises(ConfigError):
            anchor.loads(json.dumps({**good, "version": version}).encode())
    for name in ("instruments", "keys", "bindings", "policies"):
        with pytest.raises(ConfigError, match="twice"):
            anchor.loads(json.dumps({**good, name: [*good[name], good[name][0]]}).encode())
    with pytest.raises(ConfigError, match="twice"):
        anchor.loads(b'{"simulation":true,' + json.dumps(good).encode()[1:])


def hours(made: Lab) -> float:
    report = verify(made.pack(), made.trust(), NOW_MS)
    assert report.verdict is not Verdict.REJECTED
    return float(report.as_json(0)["effective_low_h"])


def test_evidence_left_out_can_raise_hours_until_there_is_a_log_and_every_report_says_so() -> None:
    def idle(_: int, content: Content) -> Content:
        if not isinstance(content, Measurement):
            return content
        quiet = Readings(values=(80_000,) * packs.TICKS)
        return replace(content, power=quiet, energy_begin=None, energy_end=None)

    whole = lab()
    assert hours(replace(whole, streams=[*whole.streams, packs.stream(name="second", change=idle)])) < hours(whole)
    assert hours(rivals_at(10, whole)) < hours(whole)
    assert "raise the hours" in " ".join(checked(whole).as_json(0)["unanchored"])
