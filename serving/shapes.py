"""What the shapes of requests and answers are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Closed", "Envelope", "FirmBrief", "Text"]

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
