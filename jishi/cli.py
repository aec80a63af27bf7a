"""`jishi`: one command line over all rooms.

Every error of ours ends here, in one sentence on stderr and exit status 2. With `--json` a command prints exactly one
JSON object, on one line, the last of stdout; all else goes to stderr.
"""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from contract.errors import JishiError
from jishi.commands import api, collector, db, evidence, gateway, hours, sim
from jishi.commands.common import FAILED, say_json

app = typer.Typer(no_args_is_help=True, add_completion=False, help="机时 jishi: verified machine-hours.")
for name, room in (
    ("gateway", gateway),
    ("collector", collector),
    ("hours", hours),
    ("evidence", evidence),
    ("sim", sim),
    ("db", db),
    ("api", api),
):
    app.add_typer(room.app, name=name)
app.command("verify", epilog="Example: jishi verify pack.zip --keys trust.json --json")(evidence.verify)


def main() -> None:
    """Run a command."""
    try:
        app()
    except JishiError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(FAILED)
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'the system'}: {error.strerror or error}\n")
        sys.exit(FAILED)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"this command needs a part that is not installed ({error.name}): pip install 'jishi[demo]'\n")
        sys.exit(FAILED)


@app.command(epilog="Example: jishi demo --once --json")
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Run a fixed scenario to its end, then leave.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line; implies --once.")] = (
        False
    ),
    seed: Annotated[int, typer.Option(help="Which simulated day.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="With --once: where the evidence packs are left; otherwise a new folder.")
    ] = None,
) -> None:
    """Start every part on this machine: a laboratory to look at, or one scenario against its truth (演示)."""
    from jishi import demo

    # As by Ctrl-C: the parts are stopped and their folders removed in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if not (once or as_json):
        from jishi.demo import people

        people.play(seed)
        return
    report = demo.run(seed, out=out)
    if as_json:
        say_json(report)
    else:
        demo.show(report)
    if not report["ok"]:
        raise typer.Exit(1)
