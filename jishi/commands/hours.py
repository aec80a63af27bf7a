"""`jishi hours`."""

from pathlib import Path
from typing import Annotated

import typer

from jishi.commands.common import Dsn, Json, group, say_json

app = group("Machine-hours from the evidence stored. 机时")


@app.command("run", epilog="Example: jishi hours run --from 2025-03-10T00:00:00+08:00 --to 2025-03-11T00:00:00+08:00")
def hours_run(
    *,
    from_time: Annotated[str, typer.Option("--from", help="Beginning, RFC 3339 with an offset.")],
    to_time: Annotated[str, typer.Option("--to", help="End, not included.")],
    instrument: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    level: Annotated[int, typer.Option(min=2, max=3, help="2: every reading; 3: verified hours.")] = 3,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Measure a period: append the statements of its days, print the totals."""
    from metering import cli

    report = cli.hours_run(dsn, (from_time, to_time), instrument, level)
    if as_json:
        say_json(report)
    else:
        cli.show(report)


@app.command(
    "explain",
    epilog="Example: jishi hours explain --instrument lcms --at 2025-03-10T13:10:00+08:00 --picture day.svg",
)
def hours_explain(  # noqa: PLR0913 - an option is a parameter
    *,
    instrument: Annotated[str, typer.Option(help="Its id in the registry.")],
    at_time: Annotated[str | None, typer.Option("--at", help="A moment, RFC 3339 with an offset.")] = None,
    from_time: Annotated[str | None, typer.Option("--from", help="Beginning, instead of --at.")] = None,
    to_time: Annotated[str | None, typer.Option("--to", help="End, not included; a week at most.")] = None,
    level: Annotated[int, typer.Option(min=2, max=3, help="2: every reading; 3: verified hours.")] = 3,
    lang: Annotated[str, typer.Option(help="zh, en or both.")] = "both",
    picture: Annotated[Path | None, typer.Option(help="Draw the day too: a file that ends in .svg or .png.")] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Why time was credited or not: what was seen, which rule decided, what would change it. Nothing is stored."""
    from metering import explaining
    from metering.views.words import lang_of

    asked = {"at": at_time, "from": from_time, "to": to_time}
    found = explaining.hours_explain(dsn, instrument, asked, level, (picture, lang_of(lang)))
    if as_json:
        say_json(explaining.as_json(found))
    else:
        explaining.show(found, lang_of(lang))


@app.command(
    "file",
    epilog="Example: jishi hours file day.csv.gz --policy policy.toml --format tracebase --tz Europe/Berlin --json",
)
def hours_file(
    traces: Annotated[list[Path], typer.Argument(help="One recording, in one or more files; .gz or plain.")],
    policy: Annotated[Path, typer.Option(help="TOML: enter_w, leave_w, off_w, dwell_on_s, bridge_s, min_run_s ...")],
    form: Annotated[str, typer.Option("--format", help="tracebase, csv or shdr.")] = "tracebase",
    key: Annotated[str | None, typer.Option(help="Column of power (csv) or execution item (shdr).")] = None,
    tz: Annotated[str | None, typer.Option(help="Zone of local times, such as Asia/Shanghai.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Meter a recording that nobody signed (assurance L2)."""
    from metering import cli

    report = cli.file_hours(traces, policy, form, key, tz)
    if as_json:
        say_json(report)
    else:
        cli.show_file(report)
