"""The routes about what changed: a firm's rank over the snapshots of the home."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving import lookups_law
from serving.api import asked, live
from serving.rank_history import firm_history
from serving.wire_changes import HistoryQuery

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
    items = await state.cases.run(
        firm_history, state.standings, (firm_id, task.name), ask.state.catalogue, state.published
    )
    # New snapshots appear while the one in service stays: no ETag by its id.
    head = {**served.envelope(task.bundle_id), "task": task.name, "firm": brief}
    return live(ask, {**head, "items": items})
