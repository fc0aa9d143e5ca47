"""The shapes of requests and answers about what changed: a firm's rank over snapshots."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from serving.shapes import Closed, Envelope, FirmBrief, Text

__all__ = ["Figure", "HistoryQuery", "RankHistory"]

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
