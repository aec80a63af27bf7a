"""Ids, topics, registry, errors and sessions: the small words of the contract."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.contract.strategies import UNHURRIED, ids

from contract import clock
from contract.errors import ConfigError, DeviceError, EvidenceError, JishiError, Reason, StorageError
from contract.ids import GatewayId, InstrumentId, SiteId, is_id
from contract.registry import covers
from contract.topics import ALL_FRAMES, Channel, Topic, parse_topic
from contract.usage import Attribution, Party, Purpose, Session, Way

BAD_IDS = ["", "-a", "A", "a_b", "a/b", "a b", "a\n", "é", "１", "+", "#", "a" * 33, "..", "a.b"]


@pytest.mark.parametrize("text", ["a", "0", "nmr-400", "a-", "a--b", "a" * 32])
def test_an_id(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", BAD_IDS)
def test_no_id(text: str) -> None:
    assert not is_id(text)


@UNHURRIED
@given(ids, ids, st.sampled_from(Channel))
def test_a_topic_comes_back(site: str, gateway: str, channel: Channel) -> None:
    topic = Topic(site=SiteId(site), gateway=GatewayId(gateway), channel=channel)
    assert parse_topic(str(topic)) == topic
    assert str(topic) == f"jishi/v1/{site}/{gateway}/{channel.value}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jishi/v1/a/b",
        "jishi/v1/a/b/frame/",
        "/jishi/v1/a/b/frame",
        "jishi/v1//b/frame",
        "jishi/v2/a/b/frame",
        "other/v1/a/b/frame",
        "jishi/v1/a/b/frames",
        "jishi/v1/a/b/FRAME",
        "jishi/v1/a/b/frame\n",
        "jishi/v1/+/+/frame",
        "jishi/v1/a/b/c/frame",
        *(f"jishi/v1/{bad}/b/frame" for bad in BAD_IDS),
        *(f"jishi/v1/a/{bad}/frame" for bad in BAD_IDS),
    ],
)
def test_another_topic_is_refused(text: str) -> None:
    with pytest.raises(EvidenceError) as refusal:
        parse_topic(text)
    assert refusal.value.reason == Reason.BAD_TOPIC


@UNHURRIED
@given(st.text(max_size=60))
def test_any_text_is_refused_as_evidence(text: str) -> None:
    with pytest.raises(EvidenceError):
        parse_topic(text)


def test_the_subscription_matches_every_frame_topic() -> None:
    topic = str(Topic(site=SiteId("a"), gateway=GatewayId("b"), channel=Channel.FRAME))
    pairs = zip(ALL_FRAMES.split("/"), topic.split("/"), strict=True)
    assert all(wanted in {"+", level} for wanted, level in pairs)


@pytest.mark.parametrize(
    ("valid_to_ms", "time_ms", "holds"),
    [(20, 9, False), (20, 10, True), (20, 19, True), (20, 20, False), (None, 1 << 50, True), (10, 10, False)],
)
def test_a_validity_holds_from_its_start_up_to_but_not_at_its_end(
    valid_to_ms: int | None,
    time_ms: int,
    holds: bool,  # noqa: FBT001 - the expected answer
) -> None:
    assert covers(10, valid_to_ms, time_ms) is holds


def test_an_evidence_error_says_its_reason() -> None:
    error = EvidenceError(Reason.OFF_CHAIN, "frame 7 does not link to frame 6")
    assert str(error) == "off-chain: frame 7 does not link to frame 6"


def test_a_config_error_lists_every_fault() -> None:
    error = ConfigError("gateway.toml cannot be used:", ["frame_s: 601 is over 600", "site: missing"])
    assert error.faults == ("frame_s: 601 is over 600", "site: missing")
    assert str(error) == "gateway.toml cannot be used:\n  frame_s: 601 is over 600\n  site: missing"


def test_errors_are_one_tree_of_four_branches() -> None:
    assert set(JishiError.__subclasses__()) >= {EvidenceError, DeviceError, StorageError, ConfigError}
    branches = (EvidenceError, DeviceError, StorageError, ConfigError)
    assert not any(issubclass(a, b) for a in branches for b in branches if a is not b)


def test_the_clock_tells_milliseconds_and_does_not_go_back() -> None:
    assert clock.utc_ms() > 1_741_568_400_000
    assert clock.utc_ms() < 1 << 43  # milliseconds, not micro- or nanoseconds
    readings = [clock.monotonic_ms() for _ in range(100)]
    assert readings == sorted(readings)
    assert abs(clock.elapsed_s() * 1000 - clock.monotonic_ms()) < 60_000


@pytest.mark.parametrize(
    ("said", "entered_at_ms", "standing"),
    [
        (Attribution.BOOKED, 999, Attribution.BOOKED),
        (Attribution.BOOKED, 1001, Attribution.ENTERED_AFTERWARDS),
        (Attribution.SIGNED_IN, 1001, Attribution.SIGNED_IN),
        (Attribution.CONFIRMED, 9999, Attribution.CONFIRMED),
        (Attribution.ENTERED_AFTERWARDS, 0, Attribution.ENTERED_AFTERWARDS),
    ],
)
def test_a_booking_written_down_after_its_beginning_is_no_booking(
    said: Attribution, entered_at_ms: int, standing: Attribution
) -> None:
    session = Session(
        session_id="s-1",
        instrument=InstrumentId("nmr-400"),
        start_ms=1000,
        end_ms=2000,
        party=Party.EXTERNAL,
        purpose=Purpose.RESEARCH,
        way=Way.COMMISSIONED,
        attribution=said,
        entered_at_ms=entered_at_ms,
    )
    assert session.standing is standing
