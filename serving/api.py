"""The routes of ``/v1``: take one snapshot, one viewer and one question; look up; answer."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving import lookups
from serving.access import LOCAL, Row, Viewer, allow
from serving.lookups import Filters, Page, Served
from serving.paging import Cursor, decode, question
from serving.wire import CompareQuery, FirmsQuery, PageQuery, RankingQuery, ScoreRequest
from tidu.errors import UsageError

__all__ = ["Asked", "answer", "asked", "live", "router", "written"]

router = APIRouter()


class Asked:
    """What one request rests on, taken once: its row of the route table, viewer and state."""

    __slots__ = ("request", "row", "state", "viewer")

    def __init__(self, request: Request) -> None:
        app = request.app.state
        self.request = request
        self.row: Row = app.rows[f"{request.method} {request.scope['route'].path_format}"]
        self.viewer: Viewer = LOCAL
        allow(self.row, self.viewer)
        self.state = app.follower.state

    @property
    def served(self) -> Served:
        if self.state.served is None:
            served: Served = self.request.app.state.follower.served  # raises, saying why
            return served
        current: Served = self.state.served
        return current


def asked(request: Request) -> Asked:
    """Open a request: refuse who may not, pin what it reads."""
    return Asked(request)


def answer(ask: Asked, body: dict[str, Any]) -> Response:
    """Write an answer that follows from snapshot, address and viewer; send it once only."""
    tag = f'"{body["snapshot_id"]}-{ask.viewer.name}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if ask.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(written(ask, body), 200, headers, "application/json")


def live(ask: Asked, body: dict[str, Any]) -> Response:
    """Write an answer that may change while the snapshot stays."""
    return Response(written(ask, body), 200, {"Cache-Control": "no-store"}, "application/json")


def written(ask: Asked, body: dict[str, Any]) -> bytes:
    """Only the fields that the route table allows leave the house."""
    return orjson.dumps({name: body[name] for name in ask.row.fields if name in body})


def _page(ask: Asked, query: PageQuery, about: tuple[Any, ...]) -> tuple[Served, Page, str]:
    """Return the snapshot of a list: that of its first page while it is at hand."""
    asked_now = question(ask.row.route, *about, sorted(ask.viewer.districts or ()))
    if query.cursor is None:
        return ask.served, Page(-1, query.limit), asked_now
    cursor = decode(query.cursor)
    if cursor.question != asked_now:
        raise UsageError(
            "A cursor must go with the filters of its first page, found others.",
            "Start again without a cursor.",
        )
    served: Served = ask.request.app.state.follower.pinned(cursor.snapshot_id)
    return served, Page(cursor.last, query.limit), asked_now


def _paged(body: dict[str, Any], asked_now: str, following: int | None) -> dict[str, Any]:
    following_cursor = None
    if following is not None:
        following_cursor = Cursor(body["snapshot_id"], asked_now, following).encode()
    return body | {"next_cursor": following_cursor}


@router.get("/v1/firms")
async def firms(request: Request, query: Annotated[FirmsQuery, Query()]) -> Response:
    """Search firms by part of a name, district, industry and tier."""
    ask = asked(request)
    filters = Filters(query.q.strip(), query.district, query.industry, query.tier)
    served, page, now = _page(ask, query, (*_parts(filters),))
    body, following = lookups.firms(served, ask.viewer, filters, page)
    return answer(ask, _paged(body, now, following))


@router.get("/v1/rankings/{task}")
async def rankings(
    request: Request, task: str, query: Annotated[RankingQuery, Query()]
) -> Response:
    """The order of a task, best first; filters leave ranks as they are in the whole cohort."""
    ask = asked(request)
    filters = Filters("", query.district, query.industry, query.tier)
    served, page, now = _page(ask, query, (task, *_parts(filters)))
    body, following = lookups.rankings(served, ask.viewer, (task, filters), page)
    return answer(ask, _paged(body, now, following))


@router.get("/v1/firms/{firm_id:path}/explanations/{task}")
async def explanation(request: Request, firm_id: str, task: str) -> Response:
    """Why a firm scores what it scores: exact reasons in Chinese and English."""
    ask = asked(request)
    return answer(ask, lookups.explanation(ask.served, ask.viewer, firm_id, task))


@router.get("/v1/firms/{firm_id:path}")
async def firm(request: Request, firm_id: str) -> Response:
    """One firm: what is known of it, its standing in every task, its growth profile."""
    ask = asked(request)
    return answer(ask, lookups.firm(ask.served, ask.viewer, firm_id))


@router.get("/v1/compare")
async def compare(request: Request, query: Annotated[CompareQuery, Query()]) -> Response:
    """Why firm a stands above or below firm b: the exact difference of their reasons."""
    ask = asked(request)
    pair = (query.a, query.b)
    return answer(ask, lookups.comparison(ask.served, ask.viewer, pair, query.task))


@router.get("/v1/snapshots")
async def snapshots(request: Request) -> Response:
    """All snapshots of this home and what each was made from."""
    ask = asked(request)
    served = ask.served
    items = []
    for entry in ask.state.catalogue:
        inputs = {k: v for k, v in entry.items() if k != "snapshot_id"}
        current = entry["snapshot_id"] == served.snapshot.id
        name = entry["snapshot_id"]
        items.append({"snapshot_id": name, "current": current, "inputs": inputs or None})
    # New snapshots appear while the one in service stays: no ETag by its id.
    return live(ask, {**served.envelope(), "items": items})


@router.get("/v1/snapshots/current")
async def current(request: Request) -> Response:
    """The snapshot in service: inputs, tasks and parts with their hashes."""
    ask = asked(request)
    snapshot = ask.served.snapshot
    tasks = [
        {
            "task": name,
            "model_version": task.bundle_id,
            "firms": len(task.scores),
            "features": len(task.features),
        }
        for name, task in snapshot.tasks.items()
    ]
    parts = [
        {
            "part": name,
            "sha256": part["sha256"],
            "bytes": part["bytes"],
            "rows": part["rows"],
            "version": part["schema"],
        }
        for name, part in snapshot.manifest["parts"].items()
    ]
    body = {"inputs": snapshot.manifest["inputs"], "tasks": tasks, "parts": parts}
    return answer(ask, {**ask.served.envelope(), **body})


@router.get("/v1/models")
async def models(request: Request) -> Response:
    """Per task: the bundle that scored this snapshot and the bundle in use."""
    ask = asked(request)
    tasks, pointers = ask.served.snapshot.tasks, ask.state.pointers
    in_use = {name[5:]: pointer for name, pointer in pointers.items() if name[:5] == "task:"}
    items = []
    for name in sorted(tasks.keys() | in_use.keys()):
        task, pointer = tasks.get(name), in_use.get(name)
        items.append(
            {
                "task": name,
                "model_version": task.bundle_id if task else None,
                "in_use": pointer.value if pointer else None,
                "in_use_since": pointer.changed_at if pointer else None,
                "facts": task.facts if task else {},
            }
        )
    return live(ask, {**ask.served.envelope(), "items": items})


@router.post("/v1/score")
async def score(request: Request, body: ScoreRequest) -> Response:
    """Score firm records that are sent along: the same functions that made the snapshot."""
    ask = asked(request)
    task = ask.served.task(body.task)
    scored = await request.app.state.pool.score(body.task, body.records)
    head = ask.served.envelope(scored.get("model_version") or task.bundle_id)
    return live(ask, {**head, "task": body.task, "items": scored["items"]})


@router.get("/healthz")
async def healthz(request: Request) -> Response:
    """Whether the process answers."""
    return live(asked(request), {"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Whether a snapshot is served, which one, and what keeps a newer one out."""
    ask = asked(request)
    body = {"status": "ready", "problem": ask.state.problem}
    return live(ask, {**ask.served.envelope(), **body})


def _parts(filters: Filters) -> tuple[str, ...]:
    return filters.q, filters.district, filters.industry, filters.tier
