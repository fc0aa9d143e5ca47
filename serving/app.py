"""The service put together: routes, problems, metrics and the follower of the pointer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import api, api_changes, api_law, api_plan, api_shortlists, docs_page, problems
from serving.access import bound
from serving.casework import Casework
from serving.database import utc_now
from serving.desk import Desk
from serving.follow import Follower
from serving.metrics import CONTENT_TYPE, Metrics, Observed
from serving.rank_history import Standings
from serving.scoring_pool import DeskQueue, Queue, Scorer, ScoringPool
from serving.store import Store, database_url

__all__ = ["Config", "create_app"]

BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Config:
    """What an app is made from.

    ``scorer`` answers POST /v1/score, ``desk`` scenarios and comparisons of editions, ``casework``
    the papers and paths of firms; None switches them off. ``snapshot`` is served for good, whatever
    the pointer says; empty, the pointer is followed.
    """

    home: Path
    store_url: str = ""
    scorer: Scorer | None = None
    desk: Desk | None = None
    casework: Casework | None = None
    snapshot: str = ""
    now: Callable[[], datetime] = utc_now
    body_bytes: int = BODY_BYTES

    def open_store(self) -> Store:
        self.home.mkdir(parents=True, exist_ok=True)
        return Store.at(self.store_url or database_url(self.home), self.now)


def create_app(config: Config) -> FastAPI:
    """Return the app; a route without its row in the route table is refused here."""
    metrics = Metrics(config.now)
    follower = Follower(config.home, config.open_store, metrics.refused.inc, fixed=config.snapshot)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # The first look is awaited: the service is ready as soon as it listens.
        await asyncio.to_thread(follower.look)
        following = asyncio.create_task(follower.run())
        yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        app.state.pool.close()
        app.state.desk.close()
        app.state.cases.close()
        follower.close()

    app = FastAPI(title="Tidu", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    # Taken over as they are: an included router stays a layer that every request passes.
    # What stands below a firm comes first: an id may hold slashes and would swallow it.
    for part in (api_law, api_plan, api_changes, api_shortlists, api, docs_page):
        app.router.routes.extend(part.router.routes)
    app.add_api_route("/metrics", _metrics, include_in_schema=False)
    problems.install(app)
    app.add_middleware(Limited, most=config.body_bytes)
    app.add_middleware(Observed, metrics=metrics)
    app.state.rows = bound(routes_of(app))
    app.state.follower = follower
    app.state.metrics = metrics
    app.state.pool = ScoringPool(config.scorer)
    app.state.desk = DeskQueue(config.desk)
    app.state.casework = config.casework
    app.state.cases = Queue("casework")
    app.state.home = config.home
    app.state.standings = Standings(config.home)
    app.state.today = lambda: config.now().date()
    app.state.openapi = cache(lambda: docs_page.described(app))
    return app


def routes_of(app: FastAPI) -> set[str]:
    """Return every route as the route table writes it."""
    return {
        f"{method} {route.path_format}"
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


async def _metrics(request: Request) -> Response:
    """Prometheus text."""
    state = request.app.state
    served = state.follower.state.served
    as_of = None if served is None else served.snapshot.as_of
    return Response(state.metrics.expose(as_of), media_type=CONTENT_TYPE)


class Limited:
    """Refuses a body above the limit before it is held in memory, whatever length it claims."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        size = 0

        async def counting() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._most:
                raise HTTPException(413, f"a body may hold {self._most} bytes, found more")
            return message

        await self._app(scope, counting, send)
