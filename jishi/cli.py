"""`jishi`: one command line over all rooms.

Every error of ours ends here, in one sentence on stderr and exit status 2. With `--json` a command prints exactly one
JSON object, on one line, the last of stdout; all else goes to stderr.
"""

import signal
import sys
from typing import Annotated

import typer

from contract.errors import JishiError
from jishi.commands import collector, db, gateway, hours, sim
from jishi.commands.common import FAILED, Json, say_json

app = typer.Typer(no_args_is_help=True, add_completion=False, help="机时 jishi: verified machine-hours.")
for name, room in (("gateway", gateway), ("collector", collector), ("hours", hours), ("sim", sim), ("db", db)):
    app.add_typer(room.app, name=name)


def main() -> None:
    """Run a command."""
    try:
        app()
    except JishiError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(FAILED)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"this command needs a part that is not installed ({error.name}): pip install 'jishi[demo]'\n")
        sys.exit(FAILED)


@app.command(epilog="Example: jishi demo --once --json")
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Run the scenario to its end, then leave (the default).")] = True,  # noqa: ARG001
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Which simulated day.")] = 1,
) -> None:
    """Start every part on this machine and compare verified hours with the truth. (演示)."""
    from jishi.demo import run, show

    # As by Ctrl-C: the parts are stopped and their folders removed in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    report = run(seed=seed)
    if as_json:
        say_json(report)
    else:
        show(report)
    if not report["ok"]:
        raise typer.Exit(1)
