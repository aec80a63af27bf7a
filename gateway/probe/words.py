"""What a probe can find, how bad it is, and the sentence for it in Chinese and in English.

Codes are read by machines: they are added, never renamed.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Light(IntEnum):
    """How plausible: a green finding is a remark on what cannot be seen."""

    GREEN = 0
    YELLOW = 1
    RED = 2


class Code(StrEnum):
    """What was found."""

    SILENT = "silent"
    ALL_ZERO = "all-zero"
    UNREAD = "unread"
    SERIAL = "serial"
    NO_VOLTAGE = "no-voltage"
    CURRENT_WITHOUT_VOLTAGE = "current-without-voltage"
    VOLTAGE = "voltage"
    FREQUENCY = "frequency"
    CT_REVERSED = "ct-reversed"
    ALL_REVERSED = "all-reversed"
    CTS_SWAPPED = "cts-swapped"
    TOTAL_SIGN = "total-sign"
    PAIRING = "pairing"
    FACTOR_SIGN = "power-factor-sign"
    FACTOR = "power-factor"
    PRODUCT = "product"
    NO_POWER = "no-power"
    SUM = "sum"
    SAME_TAP = "same-tap"
    LINE_VOLTAGE = "line-voltage"
    OVER_RANGE = "over-range"
    RATIO = "ratio"
    RATIO_UNSEEN = "ratio-unseen"
    ENERGY_STILL = "energy-still"
    ENERGY_FELL = "energy-fell"
    ENERGY_PACE = "energy-pace"
    ENERGY_UNSEEN = "energy-unseen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at.

    Attributes:
        phases: the names of the phases it is about; empty where it is about the meter.
    """

    code: Code
    light: Light
    phases: tuple[str, ...]
    zh: str
    en: str


_TEXTS: dict[Code, tuple[Light, str, str]] = {
    Code.SILENT: (
        Light.RED,
        "已连通，但型号所列寄存器一个也读不出：查型号与单元号",
        "connected, but no register of the model answers: check model and unit",
    ),
    Code.ALL_ZERO: (
        Light.RED,
        "所有测量值均为零：查单元号、型号与电压接线",
        "every measured value is zero: check unit, model and the voltage taps",
    ),
    Code.UNREAD: (
        Light.YELLOW,
        "读不出 {what}：此表可能不是所配型号",
        "cannot read {what}: this may not be the model configured",
    ),
    Code.SERIAL: (
        Light.YELLOW,
        "序列号为 {serial}：不能辨认此表，核对铭牌",
        "serial number {serial}: names no meter, compare the plate",
    ),
    Code.NO_VOLTAGE: (
        Light.YELLOW,
        "{phases} 无电压：查该相熔断器与电压线",
        "{phases}: no voltage: check fuse and voltage tap",
    ),
    Code.CURRENT_WITHOUT_VOLTAGE: (
        Light.RED,
        "{phases} 有电流 {amps} A 而无电压，该相漏计：查熔断器与电压线",
        "{phases}: {amps} A without voltage, that power is not counted: check fuse and voltage tap",
    ),
    Code.VOLTAGE: (
        Light.YELLOW,
        "{phases} 电压 {volts} V，不在 {low}–{high} V 内：查接线与电压互感器",
        "{phases}: {volts} V is outside {low}-{high} V: check the taps and any voltage transformer",
    ),
    Code.FREQUENCY: (
        Light.YELLOW,
        "频率 {hertz} Hz，不在 49–51 或 59–61 Hz 内：查型号",
        "{hertz} Hz is outside 49-51 and 59-61 Hz: check the model",
    ),
    Code.CT_REVERSED: (
        Light.RED,
        "{phases} 功率为负 ({watts} W)：电流方向装反，翻转互感器或对调其两线 (直通表查进出线)",
        "{phases}: {watts} W: current reversed: turn the CT round or exchange its wires (direct: line and load)",
    ),
    Code.ALL_REVERSED: (
        Light.RED,
        "有载各相功率均为负 (共 {watts} W)：互感器全部装反或整体错相，或进出线对调，或型号的符号有误",
        "all phases negative ({watts} W): CTs all reversed or all a phase on, line and load exchanged, or a wrong sign",
    ),
    Code.CTS_SWAPPED: (
        Light.RED,
        "{phases} 的互感器似互换：各自套在对方导线上，按相序换回",
        "{phases}: the CTs seem exchanged, each on the other's conductor: put each on its own phase",
    ),
    Code.TOTAL_SIGN: (
        Light.RED,
        "总功率 {watts} W 为负而各相不为负：型号的符号有误",
        "the total is {watts} W though no phase is negative: the model's sign is wrong",
    ),
    Code.PAIRING: (
        Light.YELLOW,
        "{phases} 功率因数 {factor} 远低于他相：该相电压与电流或非同相",
        "{phases}: power factor {factor}, far under the others': voltage and current may be of different phases",
    ),
    Code.FACTOR_SIGN: (
        Light.YELLOW,
        "{phases} 功率因数与功率符号相反：查型号寄存器",
        "{phases}: power factor and power differ in sign: check the model's registers",
    ),
    Code.FACTOR: (
        Light.YELLOW,
        "{phases} 功率因数示值 {factor}，而 W/(V·A) 为 {ratio}：查型号寄存器",
        "{phases}: power factor shows {factor}, W/(V·A) is {ratio}: check the model's registers",
    ),
    Code.PRODUCT: (
        Light.RED,
        "{phases} {watts} W 大于 V·A {volt_amps} VA：寄存器、字序或倍率有误",
        "{phases}: {watts} W exceeds its {volt_amps} VA: wrong register, word order or scale",
    ),
    Code.NO_POWER: (
        Light.YELLOW,
        "{phases} 有 {volt_amps} VA 而功率为零：电压与电流或非同相",
        "{phases}: {volt_amps} VA and no power: its voltage and current may be of different phases",
    ),
    Code.SUM: (
        Light.YELLOW,
        "三相之和 {watts} W，总功率 {total} W，二者不符：查接线方式设置",
        "the phases add up to {watts} W, the total shows {total} W: check the meter's system type",
    ),
    Code.SAME_TAP: (
        Light.RED,
        "{phases} 之间仅 {volts} V：两路电压取自同一相",
        "{phases}: {volts} V between them: both taps are on one phase",
    ),
    Code.LINE_VOLTAGE: (
        Light.YELLOW,
        "{phases} 线电压 {volts} V，按相电压应约 {expected} V：查电压线与零线",
        "{phases}: {volts} V between them, {expected} V expected: check voltage taps and neutral",
    ),
    Code.OVER_RANGE: (
        Light.RED,
        "{phases} 电流 {amps} A 超过量程 {limit} A：查变比与互感器规格",
        "{phases}: {amps} A is above the range of {limit} A: check ratio and size of the CT",
    ),
    Code.RATIO: (
        Light.RED,
        "表内变比 {shown}，配置为 {declared}：改正其一",
        "the meter is set to {shown}, the config declares {declared}: mend one of them",
    ),
    Code.RATIO_UNSEEN: (
        Light.GREEN,
        "此型号不提供变比寄存器：请在表上核对 {declared}",
        "the model serves no ratio: compare {declared} with the meter's display",
    ),
    Code.ENERGY_STILL: (
        Light.RED,
        "电能读数 {seconds} s 未动，按功率应增 {expected} Wh：查型号寄存器与电流方向",
        "the energy register stood still for {seconds} s, {expected} Wh expected: check its register and the direction",
    ),
    Code.ENERGY_FELL: (
        Light.RED,
        "电能读数倒退 {advance} Wh：查型号寄存器",
        "the energy register fell by {advance} Wh: check the model's register",
    ),
    Code.ENERGY_PACE: (
        Light.YELLOW,
        "电能读数 {seconds} s 增 {advance} Wh，按功率应增 {expected} Wh：查单位与倍率",
        "the energy register grew by {advance} Wh in {seconds} s, {expected} Wh expected: check unit and scale",
    ),
    Code.ENERGY_UNSEEN: (
        Light.GREEN,
        "电能读数未判：{need_zh}",
        "the energy register is not judged: {need_en}",
    ),
}


def say(code: Code, phases: tuple[str, ...] = (), **values: object) -> Finding:
    """A finding with its sentences; `values` are what they name."""
    light, zh, en = _TEXTS[code]
    named_zh, named_en = "、".join(phases), " and ".join(phases)
    return Finding(
        code=code,
        light=light,
        phases=phases,
        zh=zh.format(phases=named_zh, **values),
        en=en.format(phases=named_en, **values),
    )
