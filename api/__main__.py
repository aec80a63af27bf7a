"""`python -m api run --config FILE [--check]`."""

import argparse
import sys
from pathlib import Path

from api import app
from contract.errors import JishiError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 2 when the operator must mend something."""
    parser = argparse.ArgumentParser(prog="api", description="Shows what is known, to people and programs.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve, e.g. api run --config api.toml")
    run.add_argument("--config", type=Path, required=True)
    run.add_argument("--check", action="store_true", help="look at everything a start needs, then leave")
    options = parser.parse_args(arguments)
    try:
        (app.check if options.check else app.run)(options.config)
    except JishiError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
