"""The shapes of requests and answers about the city's plan."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from serving.shapes import Closed, Envelope, FirmBrief, Text

__all__ = [
    "DiffQuery",
    "Difference",
    "Measures",
    "MeasuresQuery",
    "Policy",
    "ScenarioRequest",
    "Simulation",
    "Targets",
    "TargetsQuery",
]

Figures = dict[str, float | None]
Number = Annotated[float, Field(allow_inf_nan=False)]


# ---- what comes in


class TargetsQuery(Closed):
    row: Text = Field("", description="One target only, as G4.")


class MeasuresQuery(Closed):
    tier: Text = Field("", description="Instead of the firm's next tier, as little_giant.")


class DiffQuery(Closed):
    a: Text = Field(description="An edition, as 63-2022/annex3.")
    b: Text = Field(description="Another, as 2-2026/annex2.")


class ScenarioRequest(Closed):
    """What the city might set otherwise; tables that are left out stay as they are."""

    name: Text
    zh: Text = ""
    en: Text = ""
    parameters: dict[str, bool | Number | Text] = Field(
        default_factory=dict, description="By name, as GET /v1/policy lists them."
    )
    thresholds: dict[str, dict[str, Number]] = Field(
        default_factory=dict,
        description="By tier, then criterion:metric; the city's editions only.",
    )
    editions: dict[str, Text] = Field(default_factory=dict, description="Edition by tier.")
    quotas: dict[str, int] = Field(default_factory=dict, description="Firms a batch, by tier.")
    goals: dict[str, Number] = Field(default_factory=dict, description="By row of the plan.")
    rewards: dict[str, Number] = Field(default_factory=dict, description="万元 by row of the plan.")


# ---- what goes out


class Note(Closed):
    zh: str
    en: str


class Expected(Closed):
    mean: float
    low: float = Field(description="Low end of the 90 % interval.")
    high: float
    chance_of_goal: float | None
    firms_unknown: int = Field(description="Left out: nothing is known of them.")


class Target(Closed):
    row: str
    form: str
    zh: str
    en: str
    quote: str = Field(description="The sentence of the plan.")
    unit_zh: str
    unit_en: str
    at_most: bool = Field(description="The goal is to fall to it.")
    goal: float | None
    value: float | None = Field(description="null: nothing is on record, which is not zero.")
    completion_pct: float | None
    remaining: float | None
    exits: float | None = Field(description="Expired, revoked, moved out and gone this year.")
    figures: Figures = Field(description="For titles: stock, cumulative, new, expired …")
    day: str
    deadline: str
    past: bool = Field(description="The deadline is over: the value is final.")
    task_sum: float | None
    forecast: Expected | None
    districts: list[dict[str, float | str | None]] = Field(
        description="The same figures by district, with its task; they add up where counts do."
    )
    notes: list[Note]
    parameters: dict[str, Any] = Field(description="What the city has set and this rests on.")


class Targets(Envelope):
    plan: str
    plan_zh: str
    plan_en: str
    items: list[Target]


class Measure(Closed):
    place: int
    row: str
    tier: str = Field(description="The tier whose criteria it speaks to.")
    status: Literal["met", "unknown", "manual"] = Field(description="Whether the firm qualifies.")
    blocks: int = Field(description="Unmet criteria that it helps to close.")
    opens: int = Field(description="Unknown or manual ones.")
    closes: list[str] = Field(description="Their ids, unmet ones first.")
    deadline: str | None
    kind: str
    zh: str
    en: str
    quote: str
    benefit_zh: str
    benefit_en: str
    channel_zh: str
    channel_en: str
    note_zh: str
    note_en: str


class Measures(Envelope):
    firm: FirmBrief
    plan: str
    tier: str = Field(description="The firm's next tier, unless another was asked for.")
    items: list[Measure]


class Use(Closed):
    """Which edition judges a tier from when to when."""

    tier: str
    purpose: Literal["new", "review"]
    start: str = Field(alias="from")
    to: str | None
    edition: str
    document: str
    confidence: Literal["H", "M", "L"]
    zh: str
    en: str
    in_force: bool = Field(description="On the snapshot's day.")
    thresholds: list[str] = Field(description="What a scenario may change: the city's own.")


class Setting(Closed):
    id: str
    zh: str
    en: str
    value: bool | float | str | None = Field(description="null: not decided.")
    unit: str
    options: list[str]
    confidence: Literal["H", "M", "L"]
    source: str
    set_by: Literal["default", "city"]


class Policy(Envelope):
    editions: list[Use]
    parameters: list[Setting]


class Tests(Closed):
    clause: str
    test: list[str]


class Clause(Closed):
    criterion: str
    change: Literal["added", "removed", "changed"]
    zh: str
    en: str
    a: Tests | None
    b: Tests | None


class Counted(Closed):
    by: Literal["district", "size", "industry"]
    label: str = Field(description="Empty: not on record.")
    enters: int
    leaves: int
    net: int


class Moved(Closed):
    from_to: dict[str, int] = Field(description="Firms by verdict under a and under b.")
    only_a: list[str] = Field(description="Firms that pass a and not b.")
    only_b: list[str]
    by: list[Counted] = Field(description="Who passes only b enters, who passes only a leaves.")


class Difference(Envelope):
    a: str
    b: str
    clauses: list[Clause]
    firms: Moved


class Side(Closed):
    edition: str
    document: str
    quota: int | None
    met: int
    met_pending: int
    admitted: int = Field(description="Who passes and is within the quota.")
    new: int = Field(description="Of those, who does not hold the title yet.")
    tied: int = Field(description="Firms behind the last place with the points of the last place.")


class TierEffect(Closed):
    tier: str
    before: Side
    after: Side
    enters: int
    leaves: int
    net: int
    by: list[Counted]
    entering: list[str]
    leaving: list[str]


class Budget(Closed):
    """万元; null: the city has not decided its share."""

    pay_year: int
    payer: Literal["all", "city", "county"]
    district: str
    recorded: float | None = Field(description="Due by titles on record.")
    before: float | None = Field(description="If all that pass today were recognised.")
    after: float | None
    change: float | None


class Reward(Closed):
    row: str
    zh: str
    en: str
    before: float | None
    after: float | None
    change: float | None


class Position(Closed):
    row: str
    zh: str
    en: str
    unit_zh: str
    unit_en: str
    value: float | None = Field(description="On record today.")
    goal_before: float | None
    goal_after: float | None
    value_before: float | None = Field(description="If all that pass today were recognised.")
    value_after: float | None
    completion_pct_before: float | None
    completion_pct_after: float | None
    remaining_before: float | None
    remaining_after: float | None


class Simulation(Envelope):
    plan: str
    scenario: dict[str, Any]
    tiers: list[TierEffect]
    budget: list[Budget]
    rewards: list[Reward]
    targets: list[Position]
    notes: list[Note]
