"""Every statement by its name. They stand in `sql/queries.sql`, each under a line `-- name: ...`.

Does not: put statements together from pieces; a statement here is sent as it is written.
"""

import re
from importlib.resources import files
from typing import Final, LiteralString, cast

_NAME: Final = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


def _load() -> dict[str, LiteralString]:
    text = files("storage").joinpath("sql", "queries.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    statements = dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
    if len(statements) * 2 != len(parts):
        raise ValueError("sql/queries.sql: two statements have one name")
    # A file of this package is as literal as a string in its source.
    return cast("dict[str, LiteralString]", statements)


SQL: Final = _load()
