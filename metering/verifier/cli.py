"""What `jishi verify` does and shows.

Does not: parse the command line (`jishi.commands.evidence`) or check anything (`verify`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from contract import clock
from contract.errors import ConfigError
from contract.units import bounds_text, hours_text, share_text
from metering.verifier import anchor
from metering.verifier.findings import Findings, shown
from metering.verifier.opening import NotAPackError
from metering.verifier.report import EXIT, HEADLINE, Report, Verdict, local_text, not_a_pack
from metering.verifier.verify import verify

_SLOW_S: Final = 2.0
_GAPS_SHOWN: Final = 12
_STEP_WIDTH: Final = 34
_MARKS: Final = {
    "ok": "[green]✓[/green]",
    "noted": "[yellow]![/yellow]",
    "failed": "[red]✗[/red]",
    "not reached": "–",
}
_VERDICTS: Final = {
    Verdict.VERIFIED: ("green", "核验通过"),
    Verdict.VERIFIED_WITH_GAPS: ("yellow", "核验通过，有缺口"),
    Verdict.UNANCHORED: ("yellow", "未锚定：密钥等为其自称，请用 --keys"),
    Verdict.REJECTED: ("red", "不予通过"),
    Verdict.NOT_A_PACK: ("red", "不是证据包"),
}
_LEVELS: Final = {2: "遥测，非核验机时 telemetry, not verified hours", 3: "签名计量 signed"}


def run(pack: Path, keys: Path | None) -> tuple[dict[str, Any], int]:
    """Verify a pack; returns the JSON object and the exit status.

    Raises:
        ConfigError: a file cannot be read, or the register of trust is none.
    """
    begun_s = clock.elapsed_s()
    trust = None if keys is None else anchor.loads(_read(keys, "--keys"))
    raw = _read(pack, "pack")
    try:
        with _Patience(begun_s) as patience:
            report = verify(raw, trust, clock.utc_ms(), patience.told)
    except NotAPackError as error:
        return not_a_pack(str(error), clock.elapsed_s() - begun_s), EXIT[Verdict.NOT_A_PACK]
    except Exception as error:  # noqa: BLE001 - a pack is hostile: whatever it breaks, it is not verified
        findings = Findings()
        findings.stop("content", f"the verifier could not read it to its end ({type(error).__name__})")
        report = Report(pack=None, hours=None, findings=findings, anchored=trust is not None)
    return report.as_json(clock.elapsed_s() - begun_s), EXIT[report.verdict]


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError("nothing was verified", [f"{what}: {path}: {error.strerror}"]) from error


class _Patience:
    """A progress bar on stderr once it takes longer than two seconds."""

    def __init__(self, begun_s: float) -> None:
        self._begun_s = begun_s
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def told(self, done: int, whole: int) -> None:
        """Show how far it is."""
        if self._bar is None and clock.elapsed_s() - self._begun_s > _SLOW_S:
            columns = (TextColumn("核验 verifying"), BarColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task("verify")
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=whole)


def show(found: Mapping[str, Any], console: Console | None = None) -> None:
    """A table for people, Chinese and English: the verdict, the hours, the steps, the gaps, what is not proven."""
    out = console or Console()
    verdict = Verdict(found["verdict"])
    out.print(_banner(found, verdict))
    if verdict is Verdict.NOT_A_PACK:
        return
    out.print(_steps(found))
    later = [one for one in found["steps"] if one["status"] == "not checked yet"]
    out.print("\n尚未核查 not checked yet")
    out.print(_lines([f"{one['code']} {one['zh']} {one['en']}" for one in later]))
    if found["gaps"]:
        out.print(_gaps(found))
    out.print("\n未锚定 not anchored")
    out.print(_lines(found["unanchored"]))


def _banner(found: Mapping[str, Any], verdict: Verdict) -> Panel:
    colour, words = _VERDICTS[verdict]
    lines = [f"[bold {colour}]{verdict}[/bold {colour}]  {words}"]
    if found["codes"]:
        lines.append(f"[bold red]{' '.join(found['codes'])}[/bold red]")
    if found.get("simulation"):
        lines.append("[bold magenta]仿真，非真实机时 SIMULATION, no real hours[/bold magenta]")
    if found.get("instrument"):
        about = found["instrument"]
        names = (shown(about[name]) for name in ("name_zh", "name_en", "id", "unit"))
        lines.append(escape("{} {} ({}), {}".format(*names)))
        lines.append(f"{found['period']['from']} – {found['period']['to']}")
        lines.append(f"L{found['level']} {_LEVELS[found['level']]}")
    return Panel(Group(*lines, *_hours(found)), border_style=colour, expand=True)


def _hours(found: Mapping[str, Any]) -> list[str]:
    if not found.get("levels"):
        return [escape(shown(found.get("error", "机时不予列出 no hours are shown")))]
    total = found["levels"][f"L{found['level']}"]["total"]
    begin, end = total["period_ms"]
    effective = bounds_text(total["effective_low_ms"], total["effective_high_ms"])
    external = {name: bounds_text(*bounds) for name, bounds in total["external_ms"].items()}
    others = ", ".join(f"{name} {bounds}" for name, bounds in external.items() if name != HEADLINE)
    known = share_text(end - begin - total["states_ms"]["UNKNOWN"], end - begin)
    provisional = f", 暂定 provisional: {len(found['provisional'])} d" if found["provisional"] else ""
    return [
        f"有效机时 effective [bold]{hours_text(total['effective_ms'])}[/bold] h {escape(effective)}",
        f"对外 external {HEADLINE} {escape(external[HEADLINE])}",
        escape(f"  {others}"),
        f"覆盖率 coverage {known}, {found['frames']} 帧 frames, {found['seconds']} s{provisional}",
    ]


def _steps(found: Mapping[str, Any]) -> Table:
    table = Table(show_edge=False, show_header=False, pad_edge=False, box=None, expand=True)
    table.add_column(width=3)
    table.add_column(width=1)
    table.add_column(width=_STEP_WIDTH, no_wrap=True)
    table.add_column(ratio=1)
    for step in (one for one in found["steps"] if one["status"] != "not checked yet"):
        said = [escape(f"{one['zh']} {one['en']} ({one['count']}){_first(one)}") for one in step["findings"]]
        if step["status"] == "not reached":
            said.append("前步未过 not reached")
        table.add_row(step["code"], _MARKS[step["status"]], f"{step['zh']} {step['en']}", "\n".join(said))
    return table


def _first(finding: Mapping[str, Any]) -> str:
    return f": {finding['examples'][0]}" if finding["weight"] == "rejects" else ""


def _gaps(found: Mapping[str, Any]) -> Table:
    zone, gaps = ZoneInfo(found["instrument"]["time_zone"]), found["gaps"]
    table = Table(title=f"缺口 gaps ({zone.key})", show_edge=False, pad_edge=False, box=None)
    for heading in ("自 from", "至 to"):
        table.add_column(heading, no_wrap=True)
    table.add_column("h", justify="right")
    table.add_column("原因 why")
    for gap in gaps[:_GAPS_SHOWN]:
        begin, end = (local_text(gap[edge], zone)[:19] for edge in ("from_ms", "to_ms"))
        table.add_row(begin, end, hours_text(gap["to_ms"] - gap["from_ms"]), f"{gap['zh']} {gap['en']}")
    if len(gaps) > _GAPS_SHOWN:
        left = sum(gap["to_ms"] - gap["from_ms"] for gap in gaps[_GAPS_SHOWN:])
        table.add_row(f"… {len(gaps) - _GAPS_SHOWN}", "", hours_text(left), "见 see --json")
    return table


def _lines(lines: Sequence[str]) -> Table:
    grid = Table.grid(padding=(0, 1))
    for line in lines:
        grid.add_row("·", escape(line))
    return grid
