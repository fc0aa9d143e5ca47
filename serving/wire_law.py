"""The shapes of requests and answers by the law."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from serving.shapes import Closed, Envelope, FirmBrief

__all__ = ["Criteria", "PurposeQuery"]

Value = float | bool | str | None
Status = Literal["met", "unmet", "unknown", "manual", "not_applicable", "met_pending"]


class PurposeQuery(Closed):
    purpose: Literal["new", "review"] = Field("new", description="申报 (new) or 复核 (review).")


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
