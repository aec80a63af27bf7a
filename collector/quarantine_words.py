"""Quarantined messages in words: what each reason means and what to do, in Chinese and English; entries as plain data.

Does not: read a database, or decide.
"""

from collections.abc import Mapping
from dataclasses import asdict
from enum import IntEnum, IntFlag, StrEnum
from typing import Any, Final

from collector import quarantine
from contract import seal
from contract.errors import EvidenceError, Reason
from contract.frame import Content, Genesis, Measurement
from contract.ids import InstrumentId
from contract.units import utc_text
from storage.quarantine import Entry

_HEAD_BYTES: Final = 64
_AGAIN: Final = "jishi collector quarantine readmit"

ADVICE: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.BAD_TOPIC: (
        "主题不是帧的主题：检查网关的站点与名称配置，以及代理的访问规则。",
        "The topic is none for frames: look at the gateway's site and name, and at the broker's access rules.",
    ),
    Reason.TOO_LARGE: (
        "消息超过 64 KiB，不可能是帧：查明是谁在向代理发布，并限制其权限。",
        "Over 64 KiB, so no frame: find who publishes this at the broker, and close it to them.",
    ),
    Reason.BAD_ENVELOPE: (
        "信封不是唯一合法的形式：若来自网关，升级其软件；否则查明发布者。",
        "The envelope is not in its one legal form: update the gateway, or find out who else publishes.",
    ),
    Reason.UNKNOWN_KEY: (
        "登记册里没有这把公钥：核对公钥后登记（jishi db load）；网关未收到回执，会自行重发。",
        "The registry has no such key: check it and load it (jishi db load); the gateway will send again.",
    ),
    Reason.BAD_SIGNATURE: (
        "签名不符，字节被改动或私钥不对：检查链路与网关密钥文件；网关会重发。",
        "The signature does not match, bytes or key were changed: look at the way they took and at the gateway's key.",
    ),
    Reason.WRONG_GATEWAY: (
        "签名者与主题中的网关不是同一个：检查网关的站点与名称配置，并让代理只许各发各的主题。",
        "Signed by another gateway than the topic names: mend its site and name, and the broker's rules.",
    ),
    Reason.WRONG_STREAM: (
        "流的开头或所说的仪器不符：网关换仪器须另起新流；查看网关日志，此帧保留为证据。",
        "The stream begins wrongly or speaks of another instrument: begin a stream for each; see the gateway's log.",
    ),
    Reason.UNKNOWN_VERSION: (
        f"载荷版本比本程序新：升级采集器，然后运行 {_AGAIN}。",
        f"The payload is of a newer version: update the collector, then run {_AGAIN}.",
    ),
    Reason.MALFORMED: (
        f"载荷读不懂或数值荒谬：升级网关软件；若是采集器的缺陷，升级后运行 {_AGAIN}。",
        f"The payload makes no sense: update the gateway; if the collector was at fault, update that, run {_AGAIN}.",
    ),
    Reason.NOT_CANONICAL: (
        "同一内容的另一种编码：升级网关软件，此帧保留为证据。",
        "Another encoding of the same content than the legal one: update the gateway; this frame stays as evidence.",
    ),
    Reason.KEY_NOT_VALID: (
        f"帧的时间不在公钥有效期内：若登记的起止有误，更正登记册后运行 {_AGAIN}；否则查网关时钟。",
        f"Its times lie outside the key's validity: mend a wrong registration, then run {_AGAIN}.",
    ),
    Reason.NO_BINDING: (
        f"登记册里那时没有绑定：补登绑定（jishi db load）后运行 {_AGAIN}。",
        f"Nothing binds instrument and gateway at that time: load the binding (jishi db load), then run {_AGAIN}.",
    ),
    Reason.WRONG_METER: (
        f"电表或互感器变比与登记不符：核对现场铭牌，更正登记册后运行 {_AGAIN}。",
        f"Meter or CT ratio differ from the registry: read the plates on site, mend the registry, then run {_AGAIN}.",
    ),
    Reason.SIMULATED_CLOCK: (
        "模拟时钟的帧来到了真实登记册：把网关的 clock 改为真实时钟；模拟数据请用模拟登记册。",
        "A simulated clock in a real registry: mend the gateway's clock; simulations need a registry of their own.",
    ),
    Reason.FUTURE_TIME: (
        "网关时钟比采集器快 10 分钟以上：校正时钟（NTP）；此帧的时间不可信，不会重新接纳。",
        "The gateway's clock is over 10 minutes ahead: set it (NTP); the times of this frame stay unbelieved.",
    ),
    Reason.EQUIVOCATION: (
        "同一序号有两份签名帧：密钥或网关存储可能被复制；停用该网关并查明，由人裁定，不会自动接纳。",
        "Two signed frames claim one place: key or spool may have been copied; stop the gateway; people must decide.",
    ),
    Reason.OFF_CHAIN: (
        "与相邻帧的链接不符：网关存储可能被恢复或改动；查看其日志，此帧保留为证据。",
        "It does not link to the frame beside it: the gateway's spool may have been restored or changed; see its log.",
    ),
    Reason.NOT_STORABLE: (
        f"数据库拒绝存入：查看数据库日志，排除原因或升级后运行 {_AGAIN}。",
        f"The database refused it: see its log, mend the cause or update, then run {_AGAIN}.",
    ),
    Reason.TOO_MANY_HOLES: (
        "流中空缺太多：等网关补发较早的帧，此帧会随后重发；若空缺不补，查网关存储。",
        "The stream has too many holes: the gateway fills older ones and sends again; else see its spool.",
    ),
}
"""What a reason means and what to do about it: Chinese, English."""

_NEWER: Final = (
    "本程序不认识这个原因：用写入它的较新版本查看。",
    "This program does not know the reason: ask the newer one that wrote it.",
)


def advice(reason: str) -> tuple[str, str]:
    """What to do, in Chinese and in English, about a reason as it is stored."""
    return ADVICE[Reason(reason)] if reason in set(Reason) else _NEWER


def summary(entry: Entry, instrument: InstrumentId | None) -> dict[str, Any]:
    """An entry without its bytes, as one flat JSON object."""
    return {
        "id": entry.quarantine_no,
        "reason": entry.reason,
        "detail": entry.detail,
        "received_at": utc_text(entry.received_at_ms),
        "gateway": entry.gateway,
        "instrument": instrument,
        "stream": entry.stream_id and entry.stream_id.hex(),
        "seq": entry.seq,
        "topic": entry.topic,
        "authentic": entry.authentic,
        "sha256": entry.sha256.hex(),
        "size_bytes": entry.size_bytes,
        "readmitted_at": None if entry.readmitted_at_ms is None else utc_text(entry.readmitted_at_ms),
        "readmitted_by": entry.readmitted_by,
    }


def described(entry: Entry) -> dict[str, Any]:
    """All that is known of an entry: its summary, what to do, and its bytes taken apart as far as they let."""
    advice_zh, advice_en = advice(entry.reason)
    instrument = entry.instrument or quarantine.instrument_of(entry)
    told = summary(entry, instrument) | {"advice_zh": advice_zh, "advice_en": advice_en}
    return told | _bytes(entry.raw)


def line(one: Mapping[str, Any]) -> str:
    """A summary as one line for people."""
    where = one["gateway"] or plain(one["topic"])
    place = "" if one["seq"] is None else f"  {one['instrument'] or '?'}  seq {one['seq']}"
    done = f"  readmitted {one['readmitted_at']}" if one["readmitted_at"] else ""
    return f"{one['id']}  {one['received_at']}  {one['reason']}  {where}{place}  {one['size_bytes']} B{done}"


def plain(text: str) -> str:
    """Text from outside for a terminal: what would move its cursor or colours is shown as `?`."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _bytes(raw: bytes | None) -> dict[str, Any]:
    told: dict[str, Any] = {"envelope": None, "content": None, "content_fault": None, "hex_head": None}
    if raw is None:
        return told | {"content_fault": "only the hash was kept: nobody known signed it"}
    told["hex_head"] = raw[:_HEAD_BYTES].hex(" ", 4)
    try:
        told["envelope"] = _data(asdict(seal.open_frame(raw).envelope))
        told["content"] = content_data(quarantine.content_of(raw))
    except EvidenceError as error:
        told["content_fault"] = str(error)
    return told


def content_data(content: Content) -> dict[str, Any]:
    """What a frame says, as plain JSON: names for states, hex for bytes."""
    kind = {Measurement: "measurement", Genesis: "genesis"}.get(type(content), "outage")
    told: dict[str, Any] = {"is": kind, **_data(asdict(content))}
    return told


def _data(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    match value:
        case bytes():
            return value.hex()
        case StrEnum():
            return value.value
        case IntEnum() | IntFlag():
            return (value.name or str(int(value))).lower()
        case dict():
            return {key: _data(one) for key, one in value.items()}
        case tuple() | list():
            return [_data(one) for one in value]
    return value
