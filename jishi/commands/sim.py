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
) -> None:
    """Play instruments as Modbus servers in lock-step time until SIGTERM or Ctrl-C."""
    from firmware_sim import app as simulator

    raise typer.Exit(simulator.run(scenario=scenario, seed=seed, truth=truth, ready=ready, host=host))
