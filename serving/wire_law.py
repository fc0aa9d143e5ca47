"""The shapes of requests and answers by the law."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from serving.shapes import Closed, Envelope, FirmBrief

__all__ = ["Criteria", "LetterQuery", "Materials", "PathPage", "PurposeQuery"]

Value = float | bool | str | None
Status = Literal["met", "unmet", "unknown", "manual", "not_applicable", "met_pending"]


class PurposeQuery(Closed):
    purpose: Literal["new", "review"] = Field("new", description="申报 (new) or 复核 (review).")


class LetterQuery(PurposeQuery):
    lang: Literal["zh", "en"] = Field("zh", description="Language of the letter.")


class Edition(Closed):
    """By which text a firm is judged."""

    tier: str
    purpose: Literal["new", "review"]
    edition: str = Field(description="The edition in force on the day, as 2-2026/annex2.")
    edition_zh: str
    edition_en: str
    document: str = Field(description="Number of the document.")
    document_zh: str
    document_en: str
    confidence: Literal["H", "M", "L"]
    batch: str = Field(description="申报批次: year and tier.")
    day: str
    data_year: int = Field(description="The fiscal year that the batch fixes.")


class Test(Closed):
    """One test; values are shown as the register writes them, codes by name."""

    id: str
    clause: str
    zh: str
    en: str
    status: Status
    metric: str | None = None
    score: str | None = Field(None, description="Group of the score, or total.")
    finding: str | None = Field(None, description="What an official attests.")
    group: bool = Field(False, description="Only joins the tests that follow.")
    unit: str = ""
    value: Value = Field(None, description="null is unknown, or only known as a range.")
    range: list[Value] | None = None
    operator: str = ""
    threshold: Value | list[str] = Field(None, description="null: the city has not decided it.")
    gap: float | None = Field(None, description="Signed change that meets it, in its own unit.")


class Criterion(Closed):
    id: str
    address: str
    zh: str
    en: str
    status: Status
    value: Value
    operator: str
    threshold: Value | list[str]
    gap: float | None
    unit: str
    clause: str
    document: str
    papers: list[str]
    confidence: Literal["H", "M", "L"]
    parts: list[Test] = Field(description="The tests, where there are several.")


class ScoreLine(Closed):
    group: str
    id: str
    zh: str
    en: str
    clause: str
    points: tuple[float, float] = Field(description="Low and high: what is missing spans them.")
    max: float
    papers: list[str]


class Parameter(Closed):
    """A number the text leaves open."""

    id: str
    zh: str
    en: str
    unit: str
    value: float | str | None
    confidence: Literal["H", "M", "L"]
    set_by: Literal["default", "city"]


class Criteria(Envelope, Edition):
    firm: FirmBrief
    audited: bool | None
    status: Status
    criteria: list[Criterion]
    score: list[ScoreLine]
    parameters: list[Parameter]


class Copy(Closed):
    """One copy of a paper, of a year where it is made for years."""

    year: int | None
    state: Literal["held", "expired", "missing"]
    seen_in: str | None = Field(None, description="Where it was seen.")
    document: str | None = None
    issued_on: str | None = None
    valid_until: str | None = None
    held_year: int | None = None
    reason: Literal["year", "validity"] | None = Field(None, description="Why it is out of date.")


class Proves(Closed):
    id: str = Field(description="Criterion, or line of the score.")
    clause: str
    zh: str
    en: str
    score: bool


class PaperAsked(Closed):
    paper: str
    zh: str
    en: str
    issuer_zh: str
    issuer_en: str
    valid_months: int | None
    months_parameter: str
    years: list[int] = Field(description="Fiscal years for which it is asked.")
    confidence: Literal["H", "M", "L"]
    source: str
    asked: Literal["required", "optional"]
    state: Literal["held", "expired", "missing"]
    copies: list[Copy]
    proves: list[Proves]


class OpenPoint(Closed):
    """A criterion that data do not decide, with the papers that would."""

    id: str
    clause: str
    document: str
    zh: str
    en: str
    status: Literal["unknown", "manual"]
    papers: list[str]


class Materials(Envelope, Edition):
    firm: FirmBrief
    papers: list[PaperAsked]
    open_points: list[OpenPoint] = Field(description="待核实")


class Words(Closed):
    zh: str
    en: str


class YearValue(Closed):
    year: int
    value: float


class Change(Closed):
    """One field's change; ``values`` is what each open year must show."""

    field: str
    unit: str
    from_: float = Field(alias="from")
    to: float
    year: int
    values: list[YearValue]
    per_year: float = Field(description="A year's attainable change.")
    steps: float = Field(description="Its size in such units.")
    lead_months: int
    kind: str
    confidence: Literal["H", "M", "L"]
    text: Words
    how: Words


class Left(Closed):
    """A criterion that the path leaves open."""

    criterion: str
    clause: str
    status: Status
    text: Words
    until: str | None = Field(description="From which day it holds by itself.")


class Path(Closed):
    edition: str
    edition_zh: str
    edition_en: str
    document: str
    status: Literal["met", "reachable", "not_within_two_years", "blocked", "unknown"]
    batch_year: int | None
    changes: list[Change]
    total: float
    ties: list[list[Change]] = Field(description="Other changes, as few and as small.")
    figures: dict[str, dict[str, float]] = Field(description="What each open year shows.")
    pending: list[Left] = Field(description="待核实")
    by_time: list[Left]
    short: list[Left] = Field(description="Out of reach within two years.")
    blocked: list[Left] = Field(description="No change of the firm's own reaches it.")
    other: Path | None
    assumptions: dict[str, Words]
    warning: Words


class Scored(Closed):
    score: float
    probability: float
    p_low: float
    p_high: float


class ModelAnswer(Closed):
    """The model in use on the firm as it is and with the path's figures: 模型关联,非因果."""

    task: str
    model_version: str | None
    before: Scored | None
    after: Scored | None
    note: Words


class PathPage(Envelope, Edition):
    firm: FirmBrief
    path: Path
    model: ModelAnswer
