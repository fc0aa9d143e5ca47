"""What the shapes of requests and answers are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Closed", "Envelope", "FirmBrief", "Standing", "Text"]

Text = Annotated[str, Field(max_length=200)]


class Closed(BaseModel):
    """Nothing beside what is described."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Envelope(Closed):
    snapshot_id: str | None = Field(description="The snapshot that answered.")
    as_of: str | None = Field(description="What was known by the end of this day.")
    model_version: str | None = Field(description="The bundle, or a name for all bundles together.")
    policy_edition: str | None = Field(
        description="Digest of the law that judged; null: no law is applied in this snapshot."
    )


class FirmBrief(Closed):
    firm_id: str
    name: str | None
    district: str | None
    industry: str | None
    tier: str | None


class Standing(Closed):
    rank: int | None = Field(description="1 is first; null outside the cohort of the task.")
    of: int | None = Field(description="Firms in the cohort.")
    score: float | None
    probability: float | None = Field(description="Estimated chance (估计概率), 0–1.")
    p_low: float | None = Field(description="Low end of the 90 % interval of the mean outcome.")
    p_high: float | None
    stale: bool | None = Field(description="Scored on accounts older than the task expects.")
