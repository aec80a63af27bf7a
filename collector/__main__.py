"""`python -m collector run --config FILE [--check]` and `python -m collector key FILE`."""

import argparse
import sys
from pathlib import Path

from collector import app, keys
from contract.errors import JishiError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 2 when the operator must mend something."""
    parser = argparse.ArgumentParser(prog="collector", description="Takes frames from the broker into the database.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run, e.g. collector run --config collector.toml")
    run.add_argument("--config", type=Path, required=True)
    run.add_argument("--check", action="store_true", help="look at everything a start needs, then leave")
    key = commands.add_parser("key", help="make the key that signs receipts, or show the public half of one")
    key.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "key":
            made = keys.load(options.file) if options.file.exists() else keys.create(options.file)
            sys.stdout.write(f"{keys.public_hex(made)}\n")
        else:
            (app.check if options.check else app.run)(options.config)
    except JishiError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
