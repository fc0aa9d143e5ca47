"""What a snapshot stores of the city's plan: targets, the law in force, and who each measure fits.

Pages of the whole city are kept as they are answered. Of each firm only what differs is kept: for
every support whether it fits, and a deadline of the firm's own; which criteria it speaks to follows
from the verdicts beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from serving.planning import editions, offer, parameters, targets
from tidu.errors import Refused

if TYPE_CHECKING:
    from policy.law import Law
    from policy.plan.fitting import Fit
    from policy.plan.footing import Footing
    from policy.plan.ground import Ground
    from policy.plan.rows import Plan
    from policy.situation import Situation

__all__ = ["Fits", "Planned", "planned", "run_on", "stand"]

Floats = NDArray[np.float64]
SEED = 0
"""Of the forecasts: a snapshot of the same inputs is the same."""


@dataclass(frozen=True)
class Fits:
    """``status`` (firms, supports) and ``rung``, the next tier on the ladder (its length: none).

    ``deadlines`` are days of a firm's own, by the support's place.
    """

    status: NDArray[np.int8]
    rung: NDArray[np.int8]
    deadlines: Mapping[int, NDArray[np.datetime64]]


@dataclass(frozen=True)
class Planned:
    """``pages`` by name as JSON: targets, policy, supports."""

    pages: Mapping[str, Mapping[str, Any]]
    fits: Fits

    @property
    def shortfalls(self) -> dict[str, float | None]:
        """What each target still lacks, by its row."""
        return {item["row"]: item["remaining"] for item in self.pages["targets"]["items"]}

    def refuse_unless_of(self, firms: int) -> None:
        """Refuse what does not hold one row for each of so many firms."""
        columns = (self.fits.status, self.fits.rung, *self.fits.deadlines.values())
        if {len(column) for column in columns} != {firms}:
            raise Refused(
                f"The measures must have {firms} rows, found others.",
                "Run the plan on the same panel that is published.",
            )


def planned(
    situation: Situation,
    plan: Plan,
    chances: Mapping[str, Floats],
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Planned:
    """Run the plan's targets and measures; ``chances`` of entry by target, in the panel's order."""
    return run_on(stand(situation, plan, chances), situation.law, progress)


def stand(situation: Situation, plan: Plan, chances: Mapping[str, Floats]) -> Footing:
    """What a plan that is published stands on."""
    from policy.plan.files import stage_definition
    from policy.plan.grounded import footing

    on = footing(situation, plan)
    rng, definition = np.random.default_rng(SEED), stage_definition(on.settings)
    return replace(on, rng=rng, definition=definition, chances=chances)


def run_on(on: Footing, law: Law, progress: Callable[[str, int, int], None]) -> Planned:
    """Run a plan's targets and measures on its footing."""
    from policy.plan.fitting import fit

    plan = on.plan
    progress("plan", 0, 2)
    pages = {"targets": _targets(on), "policy": policy(law, on.day)}
    progress("plan", 1, 2)
    found = fit(plan.by_id, on.ground)
    progress("plan", 2, 2)
    fits = Fits(found.status, found.tier.astype(np.int8), _deadlines(found, on.ground))
    return Planned({**pages, "supports": _supports(found, on)}, fits)


def _targets(on: Footing) -> dict[str, Any]:
    plan = on.plan
    head = {"plan": plan.id, "plan_zh": plan.zh, "plan_en": plan.en}
    return {**head, "items": targets(on)}


def policy(law: Law, day: date) -> dict[str, Any]:
    """The editions with those in force, what the city may set, and which thresholds are its own."""
    from policy.plan.scenario import adjustable

    rows = []
    for use, row in zip(law.uses, editions(law), strict=True):
        edition = law.editions[use.edition]
        own = list(adjustable(edition))
        rows.append({**row, "zh": edition.zh, "en": edition.en, "in_force": use.covers(day),
                     "thresholds": own})  # fmt: skip
    return {"editions": rows, "parameters": parameters(law)}


def _supports(found: Fit, on: Footing) -> dict[str, Any]:
    """The supports' texts, and per tier which criteria each speaks to."""
    from features.facts import LADDER
    from policy.plan.fitting import closing, deadline

    speaks = {}
    for tier in LADDER:
        gaps = on.ground.gaps(tier)
        if gaps is not None and gaps.names:
            matrix = closing(found.rows, gaps)
            speaks[tier] = [[gaps.names[i] for i in np.flatnonzero(row)] for row in matrix]
    items = []
    for row in found.rows:
        ends = deadline(row, on.day)
        items.append(offer(on.plan.row(row.id)) | {"deadline": ends and ends.isoformat()})
    return {"plan": on.plan.id, "ladder": list(LADDER), "items": items, "speaks": speaks}


def _deadlines(found: Fit, ground: Ground) -> dict[int, NDArray[np.datetime64]]:
    from policy.plan.fitting import own_deadline

    each = {i: own_deadline(row, ground) for i, row in enumerate(found.rows)}
    return {i: days.astype("datetime64[D]") for i, days in each.items() if days is not None}
