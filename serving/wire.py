"""The shapes of requests and answers, for checks of what comes in and for the description.

Answers are written by orjson straight from the lookups; tests hold every answer against its model.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from serving import wire_changes, wire_decisions, wire_law, wire_plan, wire_shortlists
from serving.shapes import Closed, Envelope, FirmBrief, Standing, Text

__all__ = ["ANSWERS", "CompareQuery", "FirmsQuery", "Problem", "RankingQuery", "ScoreRequest"]

MOST_ROWS = 5_000

# ---- what comes in


class PageQuery(Closed):
    limit: int = Field(50, ge=1, le=500, description="Items a page.")
    cursor: str | None = Field(
        None, max_length=400, description="next_cursor of the answer before, unchanged."
    )
    district: Text = Field("", description="Exactly this district.")
    industry: Text = Field("", description="GB/T 4754 code or its beginning, as C39.")
    tier: Text = Field("", description="Highest valid tier, as little_giant.")


class FirmsQuery(PageQuery):
    q: Text = Field("", description="Part of a name or a firm_id.")


class RankingQuery(PageQuery):
    """A page of a ranking."""


class CompareQuery(Closed):
    a: Text = Field(description="firm_id")
    b: Text = Field(description="firm_id")
    task: Text = Field(description="name[:variant]@months")


class ScoreRequest(Closed):
    """Rows of the column register by table; dates ISO, money 万元, shares percent."""

    task: Text
    records: dict[str, Annotated[list[dict[str, Any]], Field(max_length=MOST_ROWS)]] = Field(
        description='Rows by table: {"firms": [{"firm_id": …}], "annual": [{"firm_id": …}]}'
    )


# ---- what goes out


class FirmItem(FirmBrief):
    ranks: dict[str, int | None] = Field(description="Rank by task; null outside its cohort.")


class Firms(Envelope):
    items: list[FirmItem]
    total: int = Field(description="Exact number of firms that pass the filters.")
    next_cursor: str | None = Field(description="null at the end.")


class TaskStanding(Standing):
    task: str
    model_version: str


class ProfileItem(Closed):
    feature: str
    zh: str
    en: str
    unit: str
    dimension: str
    value: float | None = Field(description="null is unknown, never zero.")
    peer: float | None = Field(description="Position among peers, 0–100.")


class FirmPage(Envelope):
    firm: dict[str, Any] = Field(description="All that is known; columns of the register.")
    scores: list[TaskStanding]
    profile: list[ProfileItem]


class RankingItem(FirmBrief, Standing):
    """A firm and where it stands."""


class Ranking(Envelope):
    task: str
    items: list[RankingItem]
    total: int
    next_cursor: str | None


class Effect(Closed):
    contribution: float = Field(description="In units of the score.")
    points: float = Field(description="In percentage points of the chance.")


class DimensionEffect(Effect):
    dimension: str
    zh: str


class Rest(Effect):
    features: int = Field(description="How many further features have an effect.")


class ReasonHead(Effect):
    feature: str
    zh: str
    en: str
    unit: str
    dimension: str
    facet: str
    actionable: bool
    direction: int
    text_zh: str
    text_en: str


class Reason(ReasonHead):
    value: float | None
    peer: float | None


class PairReason(ReasonHead):
    value_a: float | None
    value_b: float | None
    peer_a: float | None
    peer_b: float | None


class Explanation(Envelope, Standing):
    task: str
    firm: FirmBrief
    base: float = Field(description="Score of nobody in particular: reasons sum to score − base.")
    base_probability: float
    dimensions: list[DimensionEffect]
    positive: list[Reason]
    negative: list[Reason]
    rest: Rest
    residual: float = Field(description="What the sum misses; at most 1e-6.")


class Comparison(Envelope):
    task: str
    a: RankingItem
    b: RankingItem
    score_difference: float
    probability_difference: float
    dimensions: list[DimensionEffect]
    positive: list[PairReason] = Field(description="What speaks for a.")
    negative: list[PairReason] = Field(description="What speaks for b.")
    rest: Rest
    residual: float = Field(description="What the sum misses; at most 1e-9.")


class EditionUsed(Closed):
    edition: str
    document: str
    batch: str
    data_year: int


class SnapshotInputs(Closed):
    as_of: str
    vault_head: str
    policy_edition: str | None
    editions: dict[str, EditionUsed] = Field({}, description="By tier and purpose.")
    code_version: str
    bundles: dict[str, str]


class SnapshotItem(Closed):
    snapshot_id: str
    current: bool
    inputs: SnapshotInputs | None = Field(description="null where its manifest is unreadable.")


class Snapshots(Envelope):
    items: list[SnapshotItem]


class SnapshotTask(Closed):
    task: str
    model_version: str
    firms: int
    features: int


class SnapshotPart(Closed):
    part: str
    sha256: str
    bytes: int
    rows: int
    version: int


class SnapshotPage(Envelope):
    inputs: SnapshotInputs
    tasks: list[SnapshotTask]
    parts: list[SnapshotPart]


class ModelItem(Closed):
    task: str
    model_version: str | None = Field(description="The bundle that this snapshot was scored with.")
    in_use: str | None = Field(description="The bundle that the next publication will use.")
    in_use_since: str | None
    facts: dict[str, Any] = Field(description="What the bundle's manifest says.")


class Models(Envelope):
    items: list[ModelItem]


class ScoreAnswer(Envelope):
    task: str
    items: list[dict[str, Any]] = Field(description="One answer a firm, with reasons.")


class Health(Closed):
    status: str


class Ready(Envelope):
    status: str
    problem: str | None = Field(description="Why a newer snapshot is not in service.")


class Issue(Closed):
    model_config = ConfigDict(extra="allow")

    rule: str
    message: str


class Problem(BaseModel):
    """RFC 9457 with a stable code, a Chinese title and a cure."""

    type: str
    code: str
    status: int
    title: str
    title_zh: str
    detail: str
    cure: str
    issues: list[Issue] | None = None
    alternatives: list[str] | None = None


ANSWERS: dict[str, type[BaseModel]] = {
    "GET /v1/firms": Firms,
    "GET /v1/firms/{firm_id}": FirmPage,
    "GET /v1/rankings/{task}": Ranking,
    "GET /v1/firms/{firm_id}/explanations/{task}": Explanation,
    "GET /v1/firms/{firm_id}/criteria/{tier}": wire_law.Criteria,
    "GET /v1/firms/{firm_id}/measures": wire_plan.Measures,
    "GET /v1/firms/{firm_id}/materials/{tier}": wire_law.Materials,
    "GET /v1/firms/{firm_id}/path/{tier}": wire_law.PathPage,
    "GET /v1/firms/{firm_id}/history": wire_changes.RankHistory,
    "GET /v1/shortlists/{shortlist_id}/diff/{other}": wire_changes.ListDifference,
    "GET /v1/compare": Comparison,
    "GET /v1/targets": wire_plan.Targets,
    "GET /v1/policy": wire_plan.Policy,
    "GET /v1/policy/diff": wire_plan.Difference,
    "POST /v1/policy/simulate": wire_plan.Simulation,
    "POST /v1/shortlists": wire_shortlists.Shortlist,
    "GET /v1/shortlists": wire_shortlists.Shortlists,
    "GET /v1/shortlists/{shortlist_id}": wire_shortlists.Shortlist,
    "POST /v1/shortlists/{shortlist_id}/decisions": wire_decisions.Decided,
    "GET /v1/shortlists/{shortlist_id}/decisions": wire_decisions.Decisions,
    "GET /v1/snapshots": Snapshots,
    "GET /v1/snapshots/current": SnapshotPage,
    "GET /v1/models": Models,
    "POST /v1/score": ScoreAnswer,
    "GET /healthz": Health,
    "GET /readyz": Ready,
}
"""The answer of every route that answers in JSON."""
