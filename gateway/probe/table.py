"""A report for people: a block for each instrument, from 80 columns."""

from collections.abc import Callable, Mapping
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.probe.look import Look
from gateway.probe.report import InstrumentReport, Report
from gateway.probe.rules import names
from gateway.probe.words import Light

_STYLES: Final = {Light.GREEN: "green", Light.YELLOW: "yellow", Light.RED: "red"}
_LAMPS: Final = {Light.GREEN: "● 绿 green", Light.YELLOW: "● 黄 yellow", Light.RED: "● 红 red"}


def shown(*, watch: bool) -> Callable[[Report], None]:
    """What prints a report; while watched on a terminal, in the place of the one before."""
    console = Console(highlight=False)

    def show(report: Report) -> None:
        if watch and console.is_terminal:
            console.clear()
        console.print(Group(*(_block(each) for each in report.instruments)))

    return show


def _block(report: InstrumentReport) -> RenderableType:
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right", no_wrap=True)
    serial = "" if report.look is None or report.look.serial is None else f" no. {report.look.serial}"
    title = Text.assemble((report.id, "bold"), f"  {report.model}{serial}  {report.address}")
    head.add_row(title, Text(_LAMPS[report.light], style=f"bold {_STYLES[report.light]}"))
    parts: list[RenderableType] = [head]
    if report.look is not None:
        parts += [_phases(report.look), Text("  " + _rest(report.look))]
    if report.lines is not None:
        parts.append(Padding(Text(_lines(report.lines)), (0, 0, 0, 2)))
    return Padding(Group(*parts, _remarks(report)), (0, 0, 1, 0))


def _phases(look: Look) -> Table:
    labels = names(len(look.phases))
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("")
    for label in labels:
        table.add_column(label, justify="right")
    rows = [
        ("  电压 voltage V", [_number(phase.voltage_mv, 1) for phase in look.phases]),
        ("  电流 current A", [_number(phase.current_ma, 3) for phase in look.phases]),
        ("  功率 power W", [_number(phase.power_mw, 1) for phase in look.phases]),
        ("  功率因数 power factor", [_number(phase.power_factor_permille, 2) for phase in look.phases]),
    ]
    if look.line_voltages_mv:
        rows.append(("  线电压 to next phase V", [_number(each, 1) for each in look.line_voltages_mv]))
    for name, cells in rows:
        table.add_row(name, *cells)
    return table


def _rest(look: Look) -> str:
    kwh = "—" if look.energy_mwh is None else f"{look.energy_mwh / 1_000_000:.3f}"
    return (
        f"总 total {_number(look.power_mw, 1)} W   频率 frequency {_number(look.frequency_millihz, 2)} Hz"
        f"   电能 energy {kwh} kWh"
    )


def _lines(lines: Mapping[str, bool]) -> str:
    by_state = [[name for name, closed in lines.items() if closed is wanted] for wanted in (True, False)]
    closed, opened = (" ".join(named) or "—" for named in by_state)
    return f"线 lines   闭 closed: {closed}   开 open: {opened}"


def _remarks(report: InstrumentReport) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for failure in report.failures:
        table.add_row(Text("  ✗", style="red"), Text(f"连不上 cannot reach {failure}"))
    for each in report.findings:
        mark = Text("  ●", style=_STYLES[each.light]) if each.light != Light.GREEN else Text("  ·", style="dim")
        table.add_row(mark, Text(f"{each.zh}\n{each.en}", style="dim" if each.light == Light.GREEN else ""))
    return table


def _number(thousandths: int | None, digits: int) -> str:
    return "—" if thousandths is None else f"{thousandths / 1_000:.{digits}f}"
