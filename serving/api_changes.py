"""The routes about what changed: a firm's rank over snapshots, and one list against another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving import lookups_law
from serving.api import answer, asked, live
from serving.rank_history import firm_history
from serving.shortlist.changes import CURRENT, Comparisons
from serving.shortlist.kept import Lists
from serving.wire_changes import HistoryQuery
from serving.workspace import Workspace
from tidu.errors import Unready

__all__ = ["router"]

router = APIRouter()


@router.get("/v1/firms/{firm_id:path}/history")
async def history(
    request: Request, firm_id: str, query: Annotated[HistoryQuery, Query()]
) -> Response:
    """Where the firm stood in every snapshot that holds the task, and what moved it since."""
    ask, state = asked(request), request.app.state
    served = ask.served
    brief = lookups_law.firm(served, ask.viewer, firm_id)
    task = served.task(query.task)
    first = state.follower.store.first_in_service
    about = (firm_id, task.name)
    items = await state.cases.run(firm_history, state.standings, about, ask.state.catalogue, first)
    # New snapshots appear while the one in service stays: no ETag by its id.
    head = {**served.envelope(task.bundle_id), "task": task.name, "firm": brief}
    return live(ask, {**head, "items": items})


@router.get("/v1/shortlists/{shortlist_id}/diff/{other}")
async def difference(request: Request, shortlist_id: str, other: str) -> Response:
    """Why firms entered, left or moved between two saved lists, by data, model, rule and quota.

    `current` in the place of the other list asks the same question of the snapshot in service.
    """
    ask, state = asked(request), request.app.state
    if state.casework is None:
        raise Unready("Comparing lists is switched off here.", "Start it with tidu serve.")
    store = state.follower.store
    comparisons = Comparisons(Workspace(state.home), state.casework, lambda: Lists(store))
    current = ask.served.snapshot
    pair = (shortlist_id, other)
    found = await state.cases.run(comparisons.saved, pair, ask.viewer, current)
    # Two saved lists stay what they are; what is in service does not.
    return live(ask, found) if other == CURRENT else answer(ask, found)
