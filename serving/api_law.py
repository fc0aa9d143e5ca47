"""The routes that answer by the law: verdicts clause by clause."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving import lookups_law
from serving.api import answer, asked
from serving.wire_law import PurposeQuery

__all__ = ["router"]

router = APIRouter()


@router.get("/v1/firms/{firm_id:path}/criteria/{tier}")
async def criteria(
    request: Request, firm_id: str, tier: str, query: Annotated[PurposeQuery, Query()]
) -> Response:
    """The verdict of a firm for a tier, clause by clause: value, threshold, gap and papers."""
    ask = asked(request)
    found = lookups_law.criteria(ask.served, ask.viewer, firm_id, (tier, query.purpose))
    return answer(ask, found)
