"""The shapes of requests and answers about decisions on the firms of a saved list."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from serving.shapes import Closed, Envelope, Text

__all__ = ["Decided", "DecisionRequest", "Decisions"]


class DecisionRequest(Closed):
    """A refusal or a return cites codes of the firm's row (``grounds``); a number is no ground."""

    firm_id: Text
    decision: Text = Field(description="recommend 推荐, refuse 不推荐, return 退回补正.")
    grounds: Annotated[list[Text], Field(max_length=50)] = Field(
        default_factory=list, description="As unmet:rd_amount, exclusion:sme, paper:audit_report."
    )
    note: str = Field("", max_length=2_000)


class Ground(Closed):
    code: str
    zh: str
    en: str
    clause: str | None
    document: str | None
    for_: list[Literal["refuse", "return"]] = Field(alias="for")


class DecisionMade(Closed):
    list_id: str
    seq: int
    firm_id: str
    decision: Literal["recommend", "refuse", "return"]
    grounds: list[Ground]
    note: str
    actor: str
    at: str
    hash: str


class Decided(Envelope):
    shortlist_id: str
    decision: DecisionMade


class Decisions(Envelope):
    shortlist_id: str
    items: list[DecisionMade] = Field(description="All, oldest first.")
    latest: dict[str, DecisionMade] = Field(description="The last decision by firm.")
    undecided: list[str] = Field(description="Firms of the list without one.")
