"""Answers as they go out: JSON with a unit in every number's name, hours both as `_h` (to read) and `_ms` (exact).

Times are RFC 3339 in UTC, to the millisecond; periods are half-open. What is not known is null, never 0.
Does not: make them from records (`convert`).
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(json_schema_extra={"format": "date-time", "examples": ["2025-03-10T01:00:00.000Z"]})]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256, hexadecimal.")]


class Wire(BaseModel):
    """Nothing but what is named here goes out."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)


class Window(Wire):
    """A half-open period [from, to)."""

    from_: Time = Field(alias="from")
    to: Time


class LiveOut(Wire):
    """What an instrument does, as its newest reading says."""

    state: str = Field(examples=["RUNNING"], description="State; UNKNOWN where there is a doubt.")
    doubt: str | None = Field(description="Why the state is UNKNOWN: `stale`, `outage`, `no-policy` ...; null: known.")
    power_w: float | None = Field(examples=[182.4], description="Active power of the newest reading, W.")
    taken_at: Time | None = Field(description="When it was taken, by the gateway's clock.")
    received_at: Time | None = Field(description="When the collector heard the frame that holds it.")
    age_s: float | None = Field(
        description="How long ago it was taken; of a clock never set, heard; in a simulation, by simulated time."
    )
    fresh_s: float | None = Field(description="From this age on it is stale.")
    clock: str | None = Field(description="What the gateway knew of its clock.", examples=["SYNCHRONISED"])
    stream: str | None = Field(description="The stream of that frame, hexadecimal.")
    seq: int | None = Field(description="Its place in the stream: the newest is the highest, whenever it came.")


class InstrumentOut(Wire):
    """An instrument: what the registry says, and what it does."""

    id: str = Field(examples=["spectrometer-1"])
    unit: str = Field(examples=["demo-institute"], description="The managing unit's id.")
    name_zh: str
    name_en: str
    instrument_class: str = Field(examples=["spectrometer"])
    time_zone: str = Field(examples=["Asia/Shanghai"], description="In which the unit counts days.")
    live: LiveOut


class InstrumentsOut(Wire):
    """The instruments that are there for the key."""

    instruments: list[InstrumentOut]


class BoundsOut(Wire):
    """A duration that lies between two bounds."""

    low_h: float
    high_h: float
    low_ms: int
    high_ms: int


class AmountsOut(Wire):
    """Effective machine-hours with their bounds, and what they are made of."""

    effective_h: float = Field(examples=[1.75])
    effective_low_h: float
    effective_high_h: float
    effective_ms: int = Field(examples=[6_300_000])
    effective_low_ms: int
    effective_high_ms: int
    run_ms: int
    bridge_ms: int
    prep_ms: int
    post_ms: int
    states_ms: dict[str, int] = Field(description="Time in each state; they sum to the period.")
    external: dict[str, BoundsOut] = Field(description="Hours of outside users per attribution level A0 to A3.")
    contradicted_ms: int = Field(description="Where lines and power disagreed and the lower credit was taken.")


class StatementOut(Window, AmountsOut):
    """A standing statement: one instrument, one local day (or part of it), one policy version, one level."""

    day: str = Field(json_schema_extra={"format": "date"}, examples=["2025-03-10"], description="The local day.")
    level: int
    provisional: bool = Field(description="Evidence does not reach far enough past the day yet.")
    policy: str = Field(description="`id@version`; empty where none was in force, and nothing is credited.")
    policy_hash: Hash
    evidence_digest: Hash
    digest: Hash
    supersedes: Hash | None
    rules_version: str
    code_version: str
    decided_at: Time


class StatementsOut(Window):
    """Standing statements that overlap the period asked for."""

    instrument: str
    level: int
    statements: list[StatementOut]


class HoursOut(Window, AmountsOut):
    """The sum of standing statements over whole local days."""

    instrument: str
    level: int
    asked: Window = Field(description="As asked; `from` and `to` are the whole local days that it touches.")
    coverage: float = Field(ge=0, le=1, description="Share of the period that is not UNKNOWN.")
    statements: int
    provisional: int = Field(description="How many of the statements may still change.")
    unstated_h: float = Field(description="Time that no statement covers: UNKNOWN, and possible in every upper bound.")
    unstated_ms: int


class IntervalOut(Window):
    """A stretch of credited time."""

    kind: str = Field(examples=["effective"])
    duration_h: float
    duration_ms: int
    statement: Hash


class IntervalsOut(Window):
    """Credited time of standing statements that overlaps the period asked for, not cut to it."""

    instrument: str
    level: int
    intervals: list[IntervalOut]


class StateOut(Window):
    """One state over a stretch."""

    state: str = Field(examples=["STANDBY"])
    duration_ms: int


class StatesOut(Window):
    """One state at each instant of the period, judged now from the frames in the store."""

    instrument: str
    level: int
    states: list[StateOut]


class ChangeOut(Wire):
    """One thing that would change the verdict."""

    what: str = Field(examples=["shorter-pause"])
    facts: dict[str, int] = Field(description="Numbers, each with its unit in its name.")


class StretchOut(Window):
    """A stretch of time of which one rule decided."""

    state: str = Field(examples=["STANDBY"])
    credited: bool = Field(description="Whether it counts for the point value.")
    kind: str = Field(examples=["bridge"], description="As what it was credited; `none`: not at all.")
    why: str = Field(examples=["bridged-standby"], description="The rule that decided.")
    duration_ms: int
    low_ms: int = Field(description="How much of it counts for the low bound.")
    high_ms: int = Field(description="How much of it may count for the high bound.")
    facts: dict[str, int] = Field(description="The numbers that decided, each with its unit in its name.")
    lines: list[str] = Field(description="The run-state lines that can have reported the state.")
    would_change: list[ChangeOut]
    text_zh: str
    text_en: str


class ExplainedOut(Window):
    """Why each instant of a period was credited or not, judged now from the frames in the store."""

    instrument: str
    level: int
    stretches: list[StretchOut]


class PowerOut(Window):
    """Least and greatest power of each stretch; null between two stretches is a gap."""

    instrument: str
    level: int
    taken_at: list[Time | None] = Field(description="Of the first reading of each stretch; null: a gap.")
    low_w: list[float | None]
    high_w: list[float | None]


class FrameOut(Window):
    """A stored frame; its exact bytes are at /frames/{hash}. `from` and `to` are its first and last moment."""

    stream: str
    seq: int
    hash: Hash
    kind: str = Field(examples=["measurement"])
    received_at: Time
    late: bool | None = Field(description="Heard more than 72 h after its last moment; null in a simulation.")
    size_bytes: int


class EvidenceOut(Window):
    """Frames that speak of a moment of the period, by stream, then seq."""

    instrument: str
    frames: list[FrameOut]
    next: str | None = Field(description="Send it as `after` for the next page; null: this is the last.")


class CustodyOut(Wire):
    """How far one stream is in custody."""

    stream: str
    gateway: str
    instrument: str | None
    unit: str
    upto: int = Field(description="Every seq from 0 to here is held; -1: seq 0 is not.")
    held: list[tuple[int, int]] = Field(description="Runs beyond a hole, first and last seq.")
    newest_seq: int | None
    newest_end_at: Time | None = Field(description="The last moment that its newest frame speaks of.")
    newest_received_at: Time | None
    lag_s: float | None = Field(description="Since the newest frame was heard.")


class CountersOut(Wire):
    """What all collectors took in: received = stored + duplicate + quarantined, or `balanced` is false."""

    received: int
    stored: int
    duplicate: int
    quarantined: int
    balanced: bool


class StatusOut(Wire):
    """How the chain is."""

    counters: CountersOut | None = Field(description="Over all units; null for a key that is bound to one.")
    streams: list[CustodyOut]


class HealthOut(Wire):
    """Alive, and whether the database answers."""

    alive: bool
    database: bool
