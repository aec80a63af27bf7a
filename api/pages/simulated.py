"""Whether what the pages show is simulated, which every page says.

Does not: show it (`templates/base.html`).
"""

from http import HTTPStatus

from fastapi import Request

from api.context import context
from contract.errors import JishiError
from storage import registry


def is_simulation(request: Request, status: int) -> bool:
    """Whether the registry is marked as a simulation; asked of the database until it is marked, which is for ever.

    The page of an error shows no hours, and does not fail again where the database does not answer.

    Raises:
        StorageError: the database failed.
    """
    state = request.app.state
    known: bool | None = getattr(state, "simulation", None)
    if known is not None:
        return known
    try:
        with context(request).reserved.reading() as connection:
            found = registry.simulation(connection)
            if registry.revision(connection):
                state.simulation = found
    except JishiError:
        if status < HTTPStatus.BAD_REQUEST:
            raise
        return False
    return found
