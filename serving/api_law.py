"""The routes that answer by the law: verdicts clause by clause, papers, letters, paths."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving import lookups_law
from serving.api import Asked as Ask
from serving.api import answer, asked
from serving.casework import Asked, Casework
from serving.wire_law import LetterQuery, PurposeQuery
from tidu.errors import Unready

__all__ = ["router"]

router = APIRouter()

LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The letter stands alone: no script, nothing from anywhere."""


@router.get("/v1/firms/{firm_id:path}/criteria/{tier}")
async def criteria(
    request: Request, firm_id: str, tier: str, query: Annotated[PurposeQuery, Query()]
) -> Response:
    """The verdict of a firm for a tier, clause by clause: value, threshold, gap and papers."""
    ask = asked(request)
    found = lookups_law.criteria(ask.served, ask.viewer, firm_id, (tier, query.purpose))
    return answer(ask, found)


@router.get("/v1/firms/{firm_id:path}/materials/{tier}")
async def materials(
    request: Request, firm_id: str, tier: str, query: Annotated[PurposeQuery, Query()]
) -> Response:
    """The papers a firm is asked for: held, missing or out of date, and what each proves."""
    ask = asked(request)
    firm = lookups_law.firm(ask.served, ask.viewer, firm_id)
    wanted = Asked(firm_id, tier, query.purpose)
    found = await _worked(ask, Casework.materials, wanted)
    return answer(ask, {**ask.served.envelope(), "firm": firm, **found})


@router.get("/v1/firms/{firm_id:path}/materials/{tier}/letter", include_in_schema=False)
async def letter(
    request: Request, firm_id: str, tier: str, query: Annotated[LetterQuery, Query()]
) -> Response:
    """The one-time request letter (一次性告知书) as a page for A4."""
    ask = asked(request)
    lookups_law.firm(ask.served, ask.viewer, firm_id)
    wanted = Asked(firm_id, tier, query.purpose)
    day = request.app.state.today()
    page = await _worked(ask, Casework.letter, wanted, query.lang, day)
    headers = {"Content-Security-Policy": LETTER_POLICY, "Cache-Control": "no-store"}
    return Response(page, 200, headers, "text/html; charset=utf-8")


@router.get("/v1/firms/{firm_id:path}/path/{tier}")
async def path(
    request: Request, firm_id: str, tier: str, query: Annotated[PurposeQuery, Query()]
) -> Response:
    """What would have to change, by when and for which batch, and the model's answer to it."""
    ask = asked(request)
    firm = lookups_law.firm(ask.served, ask.viewer, firm_id)
    found = await _worked(ask, Casework.path, Asked(firm_id, tier, query.purpose))
    head = ask.served.envelope(found["model"]["model_version"])
    return answer(ask, {**head, "firm": firm, **found})


async def _worked(ask: Ask, work: Any, *arguments: Any) -> Any:
    """Work on a question about one firm, in its turn."""
    state = ask.request.app.state
    if state.casework is None:
        raise Unready("Papers and paths are switched off here.", "Start it with tidu serve.")
    return await state.cases.run(work, state.casework, ask.served.snapshot, *arguments)
