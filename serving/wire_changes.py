"""The shapes of requests and answers about what changed: ranks over snapshots, lists compared."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from serving.shapes import Closed, Envelope, FirmBrief, Text

__all__ = ["Figure", "HistoryQuery", "ListDifference", "RankHistory"]

Factor = Literal["data", "model", "rule", "quota"]


class HistoryQuery(Closed):
    task: Text = Field(description="name[:variant]@months")


class Figure(Closed):
    """A figure of the profile before and after, and what its change did to the score."""

    feature: str
    zh: str
    en: str
    unit: str
    before: float | None = Field(description="null is unknown, never zero.")
    after: float | None
    contribution: float = Field(description="Change of the score, exact under one bundle.")


class Moved(Closed):
    since: str = Field(description="The snapshot before in which the firm was scored.")
    changed: list[Factor] = Field(description="What differs: data, model, rule.")
    rank: int = Field(description="Change of the rank; negative is up.")
    probability: float
    score: float | None = Field(description="null where two bundles scored: they do not compare.")
    figures: list[Figure] | None = Field(
        description="Those that moved the score most; null where two bundles scored."
    )


class HistoryItem(Closed):
    snapshot_id: str
    as_of: str
    model_version: str
    policy_edition: str | None
    state: Literal["scored", "outside", "not_there"] = Field(
        description="outside: the firm was not in the cohort; not_there: not known to the snapshot."
    )
    tier: str | None = Field(description="Highest valid tier at the time.")
    rank: int | None
    of: int | None
    score: float | None
    probability: float | None
    p_low: float | None
    p_high: float | None
    stale: bool | None
    moved: Moved | None = Field(description="null for the first standing.")


class RankHistory(Envelope):
    task: str
    firm: FirmBrief
    items: list[HistoryItem] = Field(description="By rising day; one a snapshot with the task.")


# ---- two lists compared


class Parts(Closed):
    """Whole numbers of one ``of``-th: divided by it they add up to the change exactly."""

    of: int
    data: int = Field(description="Records and day.")
    model: int = Field(description="The bundles.")
    rule: int = Field(description="The law's files and the editions in force.")
    quota: int = Field(description="Length, mode, filters, firms included and excluded.")


class Words(Closed):
    code: str
    zh: str
    en: str


class ListMove(FirmBrief):
    before: int | None = Field(description="Place in the list before; null: not in it.")
    after: int | None
    parts: Parts | None = Field(
        description="Of membership for who entered (+1) or left (−1), of places for who stayed"
        " (negative is up); null where it could not be worked out."
    )
    cause: Literal["data", "model", "rule", "quota", "several"] | None = Field(
        description="The factor with the greatest part; several: two are alike; null: no change."
    )
    why: Words | None = Field(description="Why the firm is not in the list of the other side.")
    figures: list[Figure] | None = Field(
        description="Where data had a part: what moved the score most, under the later model."
    )
    text_zh: str
    text_en: str


class Compared(Closed):
    shortlist_id: str | None
    snapshot_id: str
    as_of: str
    model_version: str
    policy_edition: str | None
    question: dict[str, Any]


class CauseCount(Closed):
    cause: Literal["data", "model", "rule", "quota", "several"]
    entered: int
    left: int


class ChangeSummary(Closed):
    before: int = Field(description="Length of the list before.")
    after: int
    entered: int
    left: int
    stayed: int
    causes: list[CauseCount] | None
    totals: Parts | None = Field(description="Over entries and exits; adds up to after − before.")


class ListDifference(Envelope):
    task: str
    before: Compared
    after: Compared
    factors: list[Factor] = Field(description="What differs between the two.")
    missing: str | None = Field(description="Why the moves could not be attributed.")
    summary: ChangeSummary
    entered: list[ListMove]
    left: list[ListMove]
    stayed: list[ListMove]
