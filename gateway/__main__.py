"""The gateway's own command line; `jishi gateway` offers the same."""

import argparse
import json
import sys
from pathlib import Path

from contract.errors import JishiError
from gateway import app, config, keys, spool

EXAMPLE = """example:
  python -m gateway check --config gateway.toml
  python -m gateway key --config gateway.toml
  python -m gateway run --config gateway.toml
"""
COMMANDS = {
    "run": "read, sign, keep and publish until SIGTERM or Ctrl-C",
    "check": "list the config's faults; touches no device",
    "key": "make the gateway's key in its data folder and print the public half; never overwrites one",
    "status": "print what the spool holds, one JSON object",
}


def parser() -> argparse.ArgumentParser:
    """The options of `python -m gateway`."""
    top = argparse.ArgumentParser(
        prog="python -m gateway",
        description="Reads meters, signs what it read, keeps it until the collector has it.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, what in COMMANDS.items():
        command = commands.add_parser(
            name, help=what, description=what, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_argument(
            "--config", required=True, type=Path, help="the gateway's TOML file; see gateway/sample.toml"
        )
    return top


def main() -> int:
    """Run one command; returns the exit status."""
    options = parser().parse_args()
    try:
        return _command(options.command, options.config)
    except JishiError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _command(name: str, path: Path) -> int:
    match name:
        case "run":
            app.run(path)
        case "check":
            faults = app.check(path)
            sys.stderr.writelines(f"{fault}\n" for fault in faults)
            return 1 if faults else 0
        case "key":
            sys.stdout.write(keys.create(config.load(path).data_dir).hex() + "\n")
        case "status":
            streams = spool.status(config.load(path).data_dir)
            sys.stdout.write(json.dumps({"streams": streams}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
