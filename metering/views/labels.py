"""What states, credit, parties, clocks and causes are called, Chinese and English. Source: docs/glossary.md."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from contract.states import ClockState, OutageCause, State
from contract.usage import Party
from metering.core.reasons import Kind

Pair: TypeAlias = tuple[str, str]
"""Chinese, English."""

STATES: Final[Mapping[State, Pair]] = {
    State.UNKNOWN: ("无数据", "no data"),
    State.OFF: ("关机", "off"),
    State.FAULT: ("故障", "fault"),
    State.STANDBY: ("待机", "standby"),
    State.COOLDOWN: ("后处理", "post-processing"),
    State.WARMUP: ("开机准备", "preparation"),
    State.RUNNING: ("测试", "measurement"),
}
KINDS: Final[Mapping[Kind, Pair]] = {
    Kind.RUN: ("计入：测试", "credited: measurement"),
    Kind.BRIDGE: ("计入：短暂停顿", "credited: short pause"),
    Kind.PREPARATION: ("计入：准备", "credited: preparation"),
    Kind.POST_PROCESSING: ("计入：后处理", "credited: post-processing"),
    Kind.NONE: ("不计", "not credited"),
}
PARTIES: Final[Mapping[Party, Pair]] = {
    Party.EXTERNAL: ("外单位", "external"),
    Party.OWN_GROUP: ("本组", "own group"),
    Party.OTHER_GROUP: ("本单位其他组", "other group"),
    Party.AFFILIATED: ("关联单位", "affiliated"),
    Party.UNKNOWN: ("身份不明", "unknown party"),
}
CLOCKS: Final[Mapping[ClockState, Pair]] = {
    ClockState.SYNCHRONISED: ("已同步", "synchronised"),
    ClockState.UNSYNCHRONISED: ("未同步", "not synchronised"),
    ClockState.STEPPED: ("被跳拨", "stepped"),
    ClockState.SIMULATED: ("模拟时间", "simulated"),
}
CAUSES: Final[Mapping[OutageCause, Pair]] = {
    OutageCause.UNKNOWN: ("原因不明", "cause unknown"),
    OutageCause.PROCESS: ("网关程序未运行", "the gateway's program was not running"),
    OutageCause.BOOT: ("网关计算机未运行", "the gateway's computer was not running"),
    OutageCause.METER_LINK: ("电表无应答", "the meter did not answer"),
    OutageCause.DISK_FULL: ("网关磁盘已满", "the gateway's disk was full"),
    OutageCause.CLOCK_STEP: ("网关时钟跳变", "the gateway's clock stepped"),
}
