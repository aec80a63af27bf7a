"""`jishi api`."""

from jishi.commands.common import Check, Config, group

app = group("Show what is known, to people and programs. 接口与页面")


@app.command("run", epilog="Example: jishi api run --config api.toml --check")
def api_run(config: Config, *, check: Check = False) -> None:
    """Serve pages and JSON until SIGTERM or Ctrl-C."""
    from api import app as api

    (api.check if check else api.run)(config)
