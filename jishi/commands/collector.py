"""`jishi collector`."""

import sys
from pathlib import Path

from jishi.commands import quarantine
from jishi.commands.common import Check, Config, group

app = group("Take frames from the broker into the database. 采集")
app.add_typer(quarantine.app, name="quarantine", epilog="Example: jishi collector quarantine list")


@app.command("run", epilog="Example: jishi collector run --config collector.toml --check")
def collector_run(config: Config, *, check: Check = False) -> None:
    """Hear, admit, store, acknowledge and receipt until SIGTERM or Ctrl-C."""
    from collector import app as collector

    (collector.check if check else collector.run)(config)


@app.command("key", epilog="Example: jishi collector key collector.key")
def collector_key(file: Path) -> None:
    """Make the key that signs receipts, or show the public half of one that is there."""
    from collector import keys

    made = keys.load(file) if file.exists() else keys.create(file)
    sys.stdout.write(keys.public_hex(made) + "\n")
