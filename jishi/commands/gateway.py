"""`jishi gateway`."""

import sys

import typer

from jishi.commands.common import FAILED, Check, Config, group, say_json

app = group("Read meters, sign, keep and send. 网关")


@app.command("run", epilog="Example: jishi gateway run --config gateway.toml --check")
def gateway_run(config: Config, *, check: Check = False) -> None:
    """Read, sign, keep and send until SIGTERM or Ctrl-C."""
    from gateway import app as gateway

    if not check:
        gateway.run(config)
    elif faults := gateway.check(config):
        sys.stderr.writelines(f"{fault}\n" for fault in faults)
        raise typer.Exit(FAILED)


@app.command("key", epilog="Example: jishi gateway key --config gateway.toml")
def gateway_key(config: Config) -> None:
    """Make the gateway's key in its data folder and print the public half. Never overwrites one."""
    from gateway import config as settings
    from gateway import keys

    sys.stdout.write(keys.create(settings.load(config).data_dir).hex() + "\n")


@app.command("status", epilog="Example: jishi gateway status --config gateway.toml")
def gateway_status(config: Config) -> None:
    """What the spool holds and what the collector has in custody, as one JSON object."""
    from gateway import config as settings
    from gateway import spool

    say_json({"streams": spool.status(settings.load(config).data_dir)})
