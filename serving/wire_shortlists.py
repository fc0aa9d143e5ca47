"""The shapes of requests and answers about shortlists and the decisions on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from serving.shapes import Closed, Envelope, FirmBrief, Standing, Text

__all__ = [
    "ExportQuery",
    "Shortlist",
    "ShortlistRequest",
    "Shortlists",
    "ShortlistsQuery",
]

MOST = 5_000
MOST_NAMED = 500

Names = Annotated[list[Text], Field(max_length=MOST_NAMED)]
Verdict = Literal["met", "unmet", "unknown", "manual", "not_applicable", "met_pending"]


# ---- what comes in


class ShortlistRequest(Closed):
    """Exactly one of task and tier; filters match any of their values, all filters together."""

    task: Text = Field("", description="As promotion:little_giant@12.")
    tier: Text = Field("", description="As little_giant: promotion within 12 months.")
    k: int = Field(50, strict=True, ge=1, le=MOST, description="Firms of the list.")
    mode: Text = Field(
        "", description="upgrade 提升, cultivate 培育, reserve 储备, missed 应报未报."
    )
    districts: Names = Field(default_factory=list)
    industries: Names = Field(
        default_factory=list, description="GB/T 4754 codes or their beginnings."
    )
    sizes: Names = Field(default_factory=list, description="micro, small, medium, large.")
    include: Names = Field(default_factory=list, description="Firms that must be in.")
    exclude: Names = Field(default_factory=list, description="Firms that must not be in.")
    save: bool = Field(True, description="Keep the list; needs an Idempotency-Key.")


class ShortlistsQuery(Closed):
    limit: int = Field(50, ge=1, le=500, description="Items a page.")
    cursor: str | None = Field(None, max_length=400, description="next_cursor, unchanged.")


class ExportQuery(Closed):
    format: Literal["csv", "xlsx", "html"] = "csv"
    lang: Literal["zh", "en"] = "zh"


# ---- what goes out


class Chance(Closed):
    probability: float
    p_low: float
    p_high: float


class OpenPoint(Closed):
    id: str
    zh: str
    en: str
    clause: str
    document: str


class Gap(Closed):
    zh: str
    en: str
    value: float | str | bool | None = None
    operator: str | None = None
    threshold: float | str | bool | list[Any] | None = None
    gap: float | None = Field(None, description="In the criterion's own unit.")
    unit: str | None = None


class Unmet(OpenPoint, Gap):
    parts: list[Gap]
    exclusion: bool = Field(description="An entry condition: cited as exclusion:<id>.")


class VerdictInShort(Closed):
    status: Verdict
    zh: str
    en: str
    unmet: list[Unmet]
    unknown: list[OpenPoint]
    manual: list[OpenPoint]


class PaperDue(Closed):
    paper: str
    zh: str
    en: str
    asked: Literal["optional", "required"]


class Papers(Closed):
    missing: list[PaperDue]
    expired: list[PaperDue]


class ReasonInShort(Closed):
    feature: str
    zh: str
    en: str
    unit: str
    value: float | None
    peer: float | None
    contribution: float
    points: float
    text_zh: str
    text_en: str


class Reasons(Closed):
    positive: list[ReasonInShort]
    negative: list[ReasonInShort]


class MeasureInShort(Closed):
    row: str
    kind: str
    zh: str
    en: str
    status: Literal["met", "unknown", "manual"]
    blocks: int
    opens: int
    closes: list[str]
    deadline: str | None


class Measures(Closed):
    items: list[MeasureInShort]
    more: int = Field(description="Further measures that fit.")


class Relative(Closed):
    firm_id: str
    place: int | None = Field(description="Place on this list; null: not on it.")
    holds: bool = Field(description="It holds the title.")


class Conflict(Closed):
    kind: Literal["control", "product"]
    zh: str
    en: str
    with_: list[Relative] = Field(alias="with")
    excludes: bool = Field(description="By the edition it keeps this firm from a recommendation.")
    clause: str | None
    document: str | None


class Statement(Closed):
    code: str
    zh: str
    en: str


class Citable(Closed):
    refuse: list[str]
    return_: list[str] = Field(alias="return")


class ShortlistRow(FirmBrief, Standing):
    place: int
    size: str | None
    p_apply: Chance | None = Field(
        description="Chance of applying; null: no such task is published."
    )
    p_recognised: Chance | None = Field(description="Chance of the title given an application.")
    p_top: float | None = Field(description="Chance of belonging in the first K.")
    place_low: int | None = Field(description="90 % interval of the place, outcomes drawn anew.")
    place_high: int | None
    included: bool = Field(description="In only because it had to be.")
    stage: Literal["none", "reserve", "cultivate", "upgrade"] | None
    verdict: VerdictInShort | None
    papers: Papers | None
    reasons: Reasons
    measures: Measures
    conflicts: list[Conflict]
    statements: list[Statement] = Field(description="What every reader of the row must see.")
    grounds: Citable = Field(description="Codes that a decision on this firm may cite.")


class Counts(Closed):
    cohort: int
    eligible: int = Field(description="Who passes mode and filters.")
    unknown: int = Field(description="Of whom nobody can say whether the mode applies.")
    listed: int
    short: int = Field(description="How many fewer than asked for.")


class OfDistrict(Closed):
    district: str = Field(description="Empty: not on record.")
    eligible: int
    listed: int
    unknown: int = Field(0, description="Of whom nobody can say whether the mode applies.")


class Asked(Closed):
    task: str
    k: int
    mode: str
    districts: list[str]
    industries: list[str]
    sizes: list[str]
    include: list[str]
    exclude: list[str]


class Shortlist(Envelope):
    shortlist_id: str | None = Field(description="null: not saved.")
    number: int | None
    hash: str | None = Field(description="sha256 of the list's canonical JSON.")
    saved_by: str | None
    saved_at: str | None
    hidden: int = Field(description="Rows of districts that the viewer does not see.")
    task: str
    task_zh: str
    task_en: str
    tier: str
    question: Asked
    mode_zh: str
    edition: dict[str, Any] | None
    batch: dict[str, Any] | None
    line: dict[str, Any] | None
    counts: Counts
    districts: list[OfDistrict]
    statements: list[Statement]
    notes: list[Statement]
    items: list[ShortlistRow]


class ShortlistHead(Closed):
    shortlist_id: str
    number: int
    snapshot_id: str
    task: str
    hash: str
    actor: str
    at: str


class Shortlists(Envelope):
    items: list[ShortlistHead]
    total: int
    next_cursor: str | None
