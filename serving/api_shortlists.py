"""The routes of shortlists: make and save a list, read it, export it, decide on its firms."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from serving.api import answer, asked, live, written
from serving.idempotent import once
from serving.keys import Answer
from serving.paging import Cursor, decode, question
from serving.shortlist.answers import decided, envelope_of, fresh, row_of, shown, task_of
from serving.shortlist.decisions import Decision, decision_of
from serving.shortlist.export import MEDIA, exported
from serving.shortlist.kept import Lists, Recorded, Saved
from serving.shortlist.making import shortlist
from serving.shortlist.question import Question, mode_of
from serving.store import Store
from serving.wire_decisions import DecisionRequest
from serving.wire_shortlists import ExportQuery, ShortlistRequest, ShortlistsQuery
from tidu.errors import UsageError

__all__ = ["router"]

router = APIRouter()

ID_BYTES = 6


@router.post("/v1/shortlists")
async def make(request: Request, body: ShortlistRequest) -> Response:
    """Make a list from the snapshot in service; saved, it never changes again."""
    ask, state = asked(request), request.app.state
    served = ask.served
    wanted = _question(body, list(served.snapshot.tasks))
    work = partial(shortlist, served, ask.viewer, wanted, state.casework)
    if not body.save:
        return live(ask, fresh(await state.cases.run(work)))
    store = _store(request)

    async def run(key: str) -> Answer:
        made = await state.cases.run(work)
        kept: list[Answer] = []

        def after(connection: Connection, saved: Saved) -> None:
            kept.append(Answer(200, written(ask, shown(saved, ask.viewer))))
            store.keys.finish(key, kept[0], connection)

        name = secrets.token_hex(ID_BYTES)
        await asyncio.to_thread(Lists(store).save, made, ask.viewer.name, name, after)
        return kept[0]

    return await once(store, request, ask.viewer, run)


@router.get("/v1/shortlists")
async def lists(request: Request, query: Annotated[ShortlistsQuery, Query()]) -> Response:
    """The saved lists, newest first."""
    ask, now, before = asked(request), question("GET /v1/shortlists"), None
    if query.cursor is not None:
        cursor = decode(query.cursor)
        if cursor.question != now:
            raise UsageError(
                "A cursor must be of the saved lists, found another.", "Start without one."
            )
        before = cursor.last
    found = await asyncio.to_thread(Lists(_store(request)).page, before, query.limit)
    items, following, total = found
    cursor_text = None if following is None else Cursor("", now, following).encode()
    page = {"items": items, "total": total, "next_cursor": cursor_text}
    return live(ask, {**ask.served.envelope(), **page})


@router.get("/v1/shortlists/{shortlist_id}")
async def read(request: Request, shortlist_id: str) -> Response:
    """A saved list, verified against its hash and the audit."""
    ask = asked(request)
    saved = await asyncio.to_thread(Lists(_store(request)).get, shortlist_id)
    return answer(ask, shown(saved, ask.viewer))


@router.get("/v1/shortlists/{shortlist_id}/export", include_in_schema=False)
async def export(
    request: Request, shortlist_id: str, query: Annotated[ExportQuery, Query()]
) -> Response:
    """A saved list as a file: CSV, a workbook with a sheet a district, or a page for print."""
    ask = asked(request)
    saved = await asyncio.to_thread(Lists(_store(request)).get, shortlist_id)
    body = shown(saved, ask.viewer)
    content = await asyncio.to_thread(exported, body, query.format, query.lang)
    name = quote(f"shortlist-{shortlist_id}.{query.format}")
    shown_here = "inline" if query.format == "html" else "attachment"
    headers = {
        "Content-Disposition": f'{shown_here}; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "Cache-Control": "no-store",
    }
    return Response(content, 200, headers, MEDIA[query.format])


@router.post("/v1/shortlists/{shortlist_id}/decisions")
async def decide(request: Request, shortlist_id: str, body: DecisionRequest) -> Response:
    """Append a decision on a firm: what it cites is of that firm's row, never a number."""
    ask, store = asked(request), _store(request)
    kept_lists = Lists(store)
    decision = Decision(
        body.firm_id, decision_of(body.decision), tuple(body.grounds), body.note.strip()
    )

    async def run(key: str) -> Answer:
        kept: list[Answer] = []
        head: dict[str, Any] = {}

        def after(connection: Connection, recorded: Recorded) -> None:
            made = {**head, "shortlist_id": shortlist_id, "decision": recorded.as_json()}
            kept.append(Answer(200, written(ask, made)))
            store.keys.finish(key, kept[0], connection)

        def work() -> None:
            saved = kept_lists.get(shortlist_id)
            row_of(saved, ask.viewer, body.firm_id)
            head.update(envelope_of(saved))
            kept_lists.decide(shortlist_id, decision, ask.viewer.name, after)

        await asyncio.to_thread(work)
        return kept[0]

    return await once(store, request, ask.viewer, run)


@router.get("/v1/shortlists/{shortlist_id}/decisions")
async def decisions(request: Request, shortlist_id: str) -> Response:
    """All decisions on a list, the latest by firm, and who is without one."""
    ask, kept = asked(request), Lists(_store(request))

    def work() -> dict[str, Any]:
        return decided(kept.get(shortlist_id), kept.decisions(shortlist_id), ask.viewer)

    return live(ask, await asyncio.to_thread(work))


def _question(body: ShortlistRequest, published: list[str]) -> Question:
    return Question(
        task_of(body.task.strip(), body.tier.strip(), published),
        body.k,
        mode_of(body.mode),
        tuple(body.districts),
        tuple(body.industries),
        tuple(body.sizes),
        tuple(body.include),
        tuple(body.exclude),
    )


def _store(request: Request) -> Store:
    store: Store = request.app.state.follower.store
    return store
