"""The command line of the simulator."""

import argparse
import sys
from pathlib import Path

from firmware_sim.app import run

EXAMPLE = """example:
  python -m firmware_sim run --scenario demo --seed 7 --truth truth.json --ready ready.json

ready.json appears once everything listens; stop it with Ctrl-C.
"""


def parser() -> argparse.ArgumentParser:
    """The options of `python -m firmware_sim`."""
    top = argparse.ArgumentParser(
        prog="python -m firmware_sim", description="Simulated instruments behind real Modbus TCP servers."
    )
    command = top.add_subparsers(dest="command", required=True).add_parser(
        "run",
        help="play a scenario in lock-step simulated time",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--scenario", required=True, help="demo, or a TOML file")
    command.add_argument("--seed", required=True, type=int, help="chooses the day; the same seed plays the same day")
    command.add_argument("--truth", required=True, type=Path, help="where to write what really happens (JSON)")
    command.add_argument(
        "--ready", required=True, type=Path, help="where to write the addresses once all listen (JSON)"
    )
    command.add_argument("--host", default="127.0.0.1", help="IPv4 address to listen on (default: %(default)s)")
    command.add_argument("--pace", type=int, default=0, help="simulated seconds in a real one, at most (default: any)")
    command.add_argument("--until-eof", action="store_true", help="also end when standard input does")
    return top


if __name__ == "__main__":
    options = vars(parser().parse_args())
    del options["command"]
    sys.exit(run(**options))
