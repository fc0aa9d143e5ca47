"""Starting the service [I/O]: the address, the workers, and the app each worker makes."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import uvicorn

from serving.access import open_to_others
from tidu.errors import Unready

if TYPE_CHECKING:  # the parent of the workers starts without what only they need
    from fastapi import FastAPI

__all__ = ["from_environment", "listen", "serve"]

HOME = "TIDU_HOME"
METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one service add up their metrics (prometheus_client reads it)."""

SHUTDOWN_SECONDS = 5


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def from_environment() -> FastAPI:
    """Make the app of one worker for the home that the environment names."""
    from serving.app import Config, create_app
    from serving.casework import Casework
    from serving.desk import Desk
    from serving.scorer import RecordScorer
    from serving.workspace import Workspace

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    home = Path(os.environ.get(HOME) or "var")
    casework = Casework.of(Workspace(home))
    desk = Desk(home, casework)
    return create_app(Config(home, scorer=RecordScorer(home), casework=casework, desk=desk))


def listen(host: str, port: int) -> socket.socket:
    """Take the address before anything is started; one in use is an error with its cure."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(2048)
    except OSError as error:
        taken.close()
        raise Unready(
            f"Address {host}:{port} must be free and ours, found: {error.strerror}.",
            "Stop what listens there or choose another --port.",
        ) from error
    taken.set_inheritable(True)
    return taken


def serve(
    home: Path, host: str, port: int, workers: int = 1, say: Callable[[str], None] = _say
) -> None:
    """Serve until interrupted; workers share the address and each maps the same snapshot."""
    with ExitStack() as stack:
        taken = stack.enter_context(listen(host, port))
        name = f"[{host}]" if ":" in host else host
        if open_to_others(host):
            say(
                f"Warning: {host} can be reached from other machines, and nobody is asked who"
                " they are yet: put it behind a gateway that does, or listen on 127.0.0.1."
            )
        os.environ[HOME] = str(home.resolve())
        if workers > 1:
            folder = stack.enter_context(TemporaryDirectory(prefix="tidu-metrics-"))
            os.environ[METRICS] = folder
        say(f"Serving on http://{name}:{taken.getsockname()[1]} (API at /docs). Ctrl-C stops it.")
        with suppress(KeyboardInterrupt):
            _run(taken, workers)


def _run(taken: socket.socket, workers: int) -> None:
    config = uvicorn.Config(
        "serving.running:from_environment",
        factory=True,
        workers=workers,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    if workers == 1:
        uvicorn.Server(config).run(sockets=[taken])
        return
    from uvicorn.supervisors import Multiprocess

    Multiprocess(config, sockets=[taken]).run()
