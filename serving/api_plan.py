"""The routes of the city's plan: targets, the law, scenarios, the measures of a firm."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving import lookups_plan
from serving.api import answer, asked, live
from serving.scoring_pool import DeskQueue
from serving.wire_plan import DiffQuery, MeasuresQuery, ScenarioRequest, TargetsQuery

__all__ = ["router"]

router = APIRouter()


@router.get("/v1/targets")
async def targets(request: Request, query: Annotated[TargetsQuery, Query()]) -> Response:
    """The plan's targets: value, forecast and deadline, for the city and by district."""
    ask = asked(request)
    return answer(ask, lookups_plan.targets(ask.served, ask.viewer, query.row))


@router.get("/v1/firms/{firm_id:path}/measures")
async def measures(
    request: Request, firm_id: str, query: Annotated[MeasuresQuery, Query()]
) -> Response:
    """The measures that fit a firm: first what blocks its next tier, then by deadline."""
    ask = asked(request)
    return answer(ask, lookups_plan.measures(ask.served, ask.viewer, firm_id, query.tier))


@router.get("/v1/policy")
async def policy(request: Request) -> Response:
    """The editions of the law with those in force, and what the city has set or may set."""
    ask = asked(request)
    return answer(ask, lookups_plan.policy(ask.served))


@router.get("/v1/policy/diff")
async def difference(request: Request, query: Annotated[DiffQuery, Query()]) -> Response:
    """What changes from edition a to edition b: clauses, and who passes only one of them."""
    ask, queue = asked(request), _queue(request)
    served = ask.served
    pair = (query.a, query.b)
    found = await queue.run(queue.desk.difference, served.snapshot, pair)
    firms = found["firms"]
    for name in ("only_a", "only_b"):
        firms[name] = lookups_plan.visible(served, ask.viewer, firms[name])
    return answer(ask, {**served.envelope(), **found})


@router.post("/v1/policy/simulate")
async def simulate(request: Request, body: ScenarioRequest) -> Response:
    """What a scenario would change: who enters and leaves, the budget, the goals; not kept."""
    ask, queue = asked(request), _queue(request)
    served = ask.served
    raw = body.model_dump(exclude_defaults=True)
    found: dict[str, Any] = await queue.run(queue.desk.simulate, served.snapshot, raw)
    for tier in found["tiers"]:
        for name in ("entering", "leaving"):
            tier[name] = lookups_plan.visible(served, ask.viewer, tier[name])
    return live(ask, {**served.envelope(), **found})


def _queue(request: Request) -> DeskQueue:
    queue: DeskQueue = request.app.state.desk
    return queue
