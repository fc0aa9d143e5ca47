"""The plan of a day on the records of a home, with the chances of the models in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from serving.prospects import Progress, with_chances
from serving.workspace import Workspace

if TYPE_CHECKING:
    from policy.plan.footing import Footing
    from policy.plan.rows import Plan
    from policy.situation import Situation

__all__ = ["plan_of", "standing"]


def plan_of(workspace: Workspace, day: date, name: str = "") -> Plan:
    """The plan of that name, else the newest that has begun by the day."""
    from policy.plan.files import check_rows, load_plans
    from policy.plan.grounded import settings_of
    from policy.plan.rows import choose

    plans = load_plans(workspace.home / "policy" / "plan")
    check_rows(plans, workspace.law.city)
    return choose(plans, settings_of(workspace.law), day, name)


def standing(
    workspace: Workspace, situation: Situation, plan: Plan, seed: int, progress: Progress
) -> Footing:
    """A plan on a situation, with forecasts and the chances of models in use."""
    from policy.plan.files import stage_definition
    from policy.plan.grounded import footing

    found = footing(situation, plan)
    definition = stage_definition(found.settings)
    found = replace(found, rng=np.random.default_rng(seed), definition=definition)
    return with_chances(found, workspace, progress)
