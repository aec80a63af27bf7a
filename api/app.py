"""Makes the application, and serves it until a signal.

Does not: hold logic of its own; what a route answers stands in `routes` and `pages`.
"""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api import config as settings
from api import pages, routes
from api.config import RESERVED, Config
from api.context import Context
from api.edge import DATA
from api.guarding import Guarding
from api.live import Board
from api.openapi import Application
from api.problems import ProblemError, answer
from api.server import Server
from contract.errors import ConfigError, JishiError, StorageError
from storage.migrate import status
from storage.readers import Readers

_log = structlog.get_logger()


def create(config: Config) -> FastAPI:
    """The application; it opens a connection when it is first asked something.

    Whoever serves it MUST call `app.state.context.bell.stop()` when it begins to stop, or open streams hold it up.
    """
    readers, reserved = Readers(config.dsn, config.connections), Readers(config.dsn, RESERVED)
    within = Context(config=config, readers=readers, reserved=reserved, board=Board(reserved, config.poll_s))
    app = Application(lifespan=_life)
    app.state.context = within
    app.add_middleware(Guarding, within=within)
    for kind in (JishiError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answered)
    app.include_router(routes.router)
    app.include_router(pages.router)
    pages.mount_static(app)
    return app


def run(config_path: Path) -> None:
    """Serve until SIGTERM or SIGINT; open streams are ended, answers in hand are finished.

    Raises:
        ConfigError: the config cannot be used, or the address is taken.
    """
    config = settings.load(config_path)
    _log_json()
    Server(create(config), config.host, config.port).run()


def check(config_path: Path) -> None:
    """Look at everything a start needs, and change nothing.

    Raises:
        ConfigError: all faults found, each beginning with its dotted key.
    """
    config = settings.load(config_path)
    faults: list[str] = []
    try:
        if pending := status(config.dsn).pending:
            faults.append(f"dsn: {len(pending)} migrations are pending: run `jishi db migrate`")
    except ConfigError as error:
        faults += error.faults
    except JishiError as error:
        faults.append(f"dsn: {error}")
    try:
        socket.create_server((config.host, config.port)).close()
    except OSError as error:
        faults.append(f"port: cannot listen at {config.host}:{config.port}: {error}")
    if faults:
        raise ConfigError(f"{config_path} has faults", faults)


@contextlib.asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    within: Context = app.state.context
    poller = asyncio.create_task(_poll(within))
    try:
        yield
    finally:
        within.bell.stop()
        poller.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await poller
        within.readers.close()
        within.reserved.close()


async def _poll(within: Context) -> None:
    """Read the board for all who watch; where nobody does, it is not read."""
    seen = 0
    while True:
        await asyncio.sleep(within.config.poll_s)
        if not within.bell.heard:
            continue
        try:
            shown = await asyncio.to_thread(within.board.shown)
        except (StorageError, ConfigError) as error:
            _log.warning("the board was not read", detail=str(error))
            continue
        if shown.version != seen:
            seen = shown.version
            within.bell.ring()


async def _answered(request: Request, error: Exception) -> Response:
    """An error as a problem document, or as a page where a person reads it."""
    problem = _problem(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("not answered", route=request.url.path, detail=str(error))
    if request.url.path.startswith(DATA):
        return answer(problem)
    # A page of its own looks the reader up: not in the event loop.
    shown = await asyncio.to_thread(pages.problem_page, request, problem.status, problem.detail)
    for name, value in problem.headers.items():
        shown.headers.setdefault(name, value)
    return shown


def _problem(error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "mend the request as `faults` says", faults)
        case HTTPException():
            return ProblemError(error.status_code, _SAID.get(error.status_code, error.detail), headers=error.headers)
        case StorageError():
            detail = "the database does not answer: ask again in a few seconds"
            return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "this is our fault: tell the operator when it happened")


_SAID = {
    404: "there is no such address: /api/v1/openapi.json lists those that there are",
    405: "this address answers other methods: see the header Allow",
}


def _log_json() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
