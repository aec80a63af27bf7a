"""`jishi sim`."""

from pathlib import Path
from typing import Annotated

import typer

from jishi.commands.common import group

app = group("Simulated instruments that speak Modbus. 仿真")


@app.command("run", epilog="Example: jishi sim run --scenario demo --seed 1 --truth truth.json --ready ready.json")
def sim_run(
    *,
    scenario: Annotated[str, typer.Option(help="A shipped scenario (demo) or a TOML file.")] = "demo",
    seed: Annotated[int, typer.Option(help="Which day; the same seed plays the same day.")] = 1,
    truth: Annotated[Path, typer.Option(help="Where what really happens is written.")] = Path("truth.json"),
    ready: Annotated[Path, typer.Option(help="Where the addresses are written once all listen.")] = Path("ready.json"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    pace: Annotated[int, typer.Option(min=0, help="Simulated seconds in a real one at most; 0: any.")] = 0,
) -> None:
    """Play instruments as Modbus servers in lock-step time until SIGTERM or Ctrl-C."""
    from firmware_sim import app as simulator

    raise typer.Exit(simulator.run(scenario=scenario, seed=seed, truth=truth, ready=ready, host=host, pace=pace))


@app.command(
    "replay",
    epilog="Example: jishi sim replay day.csv.gz --tz Europe/Berlin --truth truth.json --ready ready.json",
)
def sim_replay(  # noqa: PLR0913 - each is an option of the command
    traces: Annotated[list[Path], typer.Argument(help="One tracebase recording, in one or more files; .gz or plain.")],
    *,
    tz: Annotated[str, typer.Option(help="Zone of its stamps, such as Europe/Berlin.")],
    name: Annotated[str, typer.Option("--id", help="The instrument it is played as.")] = "recording-1",
    from_time: Annotated[str | None, typer.Option("--from", help="Play from here on, ISO 8601.")] = None,
    to_time: Annotated[str | None, typer.Option("--to", help="Play up to here.")] = None,
    silent_s: Annotated[int, typer.Option(help="After a longer silence the meter does not answer.")] = 60,
    enter_w: Annotated[int | None, typer.Option(help="For the truth: it runs from this power on.")] = None,
    bridge_s: Annotated[int, typer.Option(help="For the truth: the longest standby within a run.")] = 300,
    min_run_s: Annotated[int, typer.Option(help="For the truth: shorter runs do not count.")] = 0,
    truth: Annotated[Path, typer.Option(help="Where what was recorded is written.")] = Path("truth.json"),
    ready: Annotated[Path, typer.Option(help="Where the addresses are written once all listen.")] = Path("ready.json"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Play a recording as a Modbus meter in lock-step time; where it is silent, the meter does not answer."""
    from firmware_sim import replay

    played = replay.Replay(
        files=traces,
        tz=tz,
        instrument_id=name,
        from_time=from_time,
        to_time=to_time,
        silent_s=silent_s,
        enter_w=enter_w,
        bridge_s=bridge_s,
        min_run_s=min_run_s,
    )
    raise typer.Exit(replay.run(played, truth=truth, ready=ready, host=host))


@app.command(
    "trace",
    epilog="Example: jishi sim trace --class chromatograph --id gc-1 --format csv --period-s 10 --out month.csv.gz",
)
def sim_trace(  # noqa: PLR0913 - each is an option of the command
    *,
    out: Annotated[Path, typer.Option(help="The trace; packed where its name ends in .gz.")] = Path("trace.csv.gz"),
    truth: Annotated[Path, typer.Option(help="Where what really happens is written.")] = Path("truth.json"),
    class_name: Annotated[str, typer.Option("--class", help="spectrometer, chromatograph or microscope.")] = (
        "spectrometer"
    ),
    name: Annotated[str, typer.Option("--id", help="The instrument; it chooses the days, with the seed.")] = (
        "spectrometer-1"
    ),
    from_time: Annotated[str, typer.Option("--from", help="Beginning, ISO 8601; otherwise in the zone.")] = (
        "2025-03-01T00:00:00"
    ),
    days: Annotated[float, typer.Option(help="How many days of 24 hours.")] = 30,
    period_s: Annotated[int, typer.Option(help="Seconds between rows.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed writes the same.")] = 1,
    form: Annotated[str, typer.Option("--format", help="tracebase or csv.")] = "tracebase",
    tz: Annotated[str, typer.Option(help="Zone of working hours, and of tracebase's stamps.")] = "Asia/Shanghai",
) -> None:
    """Write what one instrument's meter and lines would show over many working days, without Modbus, and the truth."""
    from firmware_sim import written

    order = written.Order(
        class_name=class_name,
        instrument_id=name,
        from_time=from_time,
        days=days,
        period_s=period_s,
        seed=seed,
        form=form,
        tz=tz,
    )
    raise typer.Exit(written.run(order, out, truth))
