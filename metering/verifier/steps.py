"""The twenty steps of verification, and every finding a step can make: stable codes and names, never reused.

The numbers stand in findings, pages and reports of evaluators. A step that is not built says so.
Does not: check anything.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Weight(Enum):
    """What a finding does to the verdict."""

    REJECTS = "rejects"
    GAP = "gap"
    NOTED = "noted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: its code, what it asks, and whether this version asks it."""

    code: str
    zh: str
    en: str
    built: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One thing a step can find."""

    code: str
    name: str
    weight: Weight
    zh: str
    en: str


def _step(code: str, zh: str, en: str, *, built: bool = True) -> Step:
    return Step(code=code, zh=zh, en=en, built=built)


STEPS: Final = (
    _step("V01", "格式与版本", "form and version"),
    _step("V02", "签名", "signatures"),
    _step("V03", "密钥有效", "keys known, valid then"),
    _step("V04", "算法", "algorithm allowed"),
    _step("V05", "序号与链接", "sequence and links"),
    _step("V06", "覆盖或缺口", "covered, or gaps listed"),
    _step("V07", "时间", "time"),
    _step("V08", "电能与功率", "energy agrees"),
    _step("V09", "电表不变", "one meter, changes said"),
    _step("V10", "检定", "calibration valid", built=False),
    _step("V11", "策略获批", "policy approved before"),
    _step("V12", "机时重算", "hours recomputed"),
    _step("V13", "状态求和", "states sum to the period"),
    _step("V14", "绑定", "bindings do not clash"),
    _step("V15", "会话", "sessions", built=False),
    _step("V16", "不超整体", "no part over its whole"),
    _step("V17", "日志收录", "log inclusion", built=False),
    _step("V18", "时间戳", "time stamp", built=False),
    _step("V19", "规则包", "rule pack applies", built=False),
    _step("V20", "得分与金额", "scores recomputed", built=False),
)


def _kind(code: str, name: str, weight: Weight, zh: str, en: str) -> Kind:
    return Kind(code=code, name=name, weight=weight, zh=zh, en=en)


_NO, _GAP, _NOTE = Weight.REJECTS, Weight.GAP, Weight.NOTED
KINDS: Final = {
    kind.name: kind
    for kind in (
        _kind("V01", "container", _NO, "容器被改动或另行打包", "the container is not in its one legal form"),
        _kind("V01", "version", _NO, "证据包版本未知", "a version of the pack that is not known"),
        _kind("V01", "members", _NO, "成员缺失、多余或与清单不符", "members are missing, unknown or not as listed"),
        _kind("V01", "content", _NO, "内容格式不合", "a member's content is malformed or written another way"),
        _kind("V01", "frame", _NO, "帧格式不合", "a frame is malformed, or of an unknown version"),
        _kind("V01", "too-large", _NO, "超出证据包上限", "more than a pack may hold"),
        _kind("V01", "misplaced", _NO, "帧或记录不属于此处", "a frame or record does not belong where it stands"),
        _kind("V02", "bad-signature", _NO, "签名不符", "a signature does not hold"),
        _kind("V03", "unknown-key", _NO, "密钥未登记", "a key that is not registered"),
        _kind("V03", "key-differs", _NO, "密钥与信任名册不同", "a key differs from the register of trust"),
        _kind("V03", "key-not-valid", _NO, "密钥当时无效", "a key signed outside its validity"),
        _kind("V03", "wrong-gateway", _NO, "网关不符", "a stream is signed by, or begun for, another gateway"),
        _kind("V03", "simulation-differs", _NO, "仿真标记与名册不同", "simulation or not: the register differs"),
        _kind("V03", "validity-unjudged", _GAP, "时钟未同步，密钥有效期无从判断",
              "clock unsynchronised: when it was signed is not known, the key's validity is not judged"),
        _kind("V04", "algorithm", _NO, "算法不许可", "another algorithm than Ed25519"),
        _kind("V05", "duplicate", _NO, "同号两帧", "two frames under one number"),
        _kind("V05", "broken-link", _NO, "前后不扣", "a frame does not link to the one before"),
        _kind("V05", "wrong-beginning", _NO, "流的起始不符", "a stream begins with a genesis, and has no other"),
        _kind("V05", "rivals", _NO, "分叉证据不成立", "what is shown as equivocation is none"),
        _kind("V05", "equivocation", _NOTE, "分叉：其后不计", "equivocation: nothing counts from there on"),
        _kind("V05", "missing-frames", _NOTE, "缺帧", "frames are missing"),
        _kind("V06", "gap", _GAP, "缺口", "time without evidence"),
        _kind("V07", "clock-back", _NO, "同一次启动内单调钟倒退", "monotonic time goes back within a boot"),
        _kind("V07", "simulated-clock", _NO, "非仿真名册中的仿真时钟", "a simulated clock outside a simulation"),
        _kind("V07", "future", _NO, "时间在将来", "a time in the future"),
        _kind("V07", "clock-drift", _NOTE, "两钟相差过大", "wall clock and monotonic clock drift apart"),
        _kind("V07", "clock-unsure", _NOTE, "时钟未同步或曾跳变", "the clock was not synchronised, or stepped"),
        _kind("V08", "register-fell", _NO, "电能倒退而未说明", "a register falls and nothing says so"),
        _kind("V08", "register-disagrees", _NO, "电能与功率不符", "energy and integral of power disagree"),
        _kind("V08", "register-reset", _NOTE, "电能倒退，已说明", "a register fell, and the gateway said so"),
        _kind("V08", "register-absent", _NOTE, "无从比较电能", "no register to compare the power with"),
        _kind("V09", "wrong-meter", _NOTE, "电表与绑定不符，不计", "another meter or CT ratio than bound: not counted"),
        _kind("V09", "silent-change", _NO, "换表而未说明", "the meter changes and nothing says so"),
        _kind("V09", "meter-changed", _NOTE, "换表，已说明", "the meter changed, and the gateway said so"),
        _kind("V11", "policy-differs", _NO, "策略与信任名册不同", "a policy differs from the register of trust"),
        _kind("V11", "policy-hash", _NO, "策略散列不符", "a policy is not what its hash says"),
        _kind("V11", "policy-approval", _NO, "未事先经外部批准", "not approved beforehand by another body"),
        _kind("V11", "policy-clash", _NO, "同时两项策略", "two policies at once"),
        _kind("V11", "policy-unusable", _NO, "策略不可用", "a policy that cannot be used"),
        _kind("V11", "no-policy", _NOTE, "无策略，不计机时", "no policy in force: nothing is credited"),
        _kind("V12", "statement-missing", _NO, "核定书缺失或多余", "statements are missing, or too many"),
        _kind("V12", "statement-differs", _NO, "核定书与重算不同", "a statement is not what its evidence gives"),
        _kind("V12", "total-differs", _NO, "合计与重算不同", "a total is not what the evidence gives"),
        _kind("V12", "provisional", _NOTE, "暂定：出具时后续证据未到",
              "provisional: evidence past the day had not come (the service's word)"),
        _kind("V13", "not-closed", _NO, "状态之和不等于时段", "states do not sum to the period"),
        _kind("V14", "binding-differs", _NO, "绑定与信任名册不同", "a binding differs from the register of trust"),
        _kind("V14", "binding-clash", _NO, "绑定冲突", "two meters of its own at once, or one of two instruments"),
        _kind("V14", "foreign-gateway", _NO, "他网关代报电表", "a gateway speaks for a meter bound to another"),
        _kind("V14", "not-bound", _NOTE, "当时未绑定，不计", "nothing was bound to this gateway then: not counted"),
        _kind("V14", "instrument-differs", _NO, "仪器与信任名册不同", "the instrument differs from the register"),
        _kind("V16", "exceeds", _NO, "对外超过有效或有效超过时段", "a part is more than its whole"),
    )
}  # fmt: skip
"""By name. `rejects` makes a pack REJECTED, `gap` VERIFIED_WITH_GAPS, `noted` is shown and changes no verdict."""
