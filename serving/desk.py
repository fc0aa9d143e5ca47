"""What is worked out on request, by the law and the records of one snapshot.

Scenarios and comparisons of editions ask what nobody has asked before. The city is laid out as the
snapshot saw it, by the records and the law that casework keeps for single firms, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tidu.errors import NotAvailable

if TYPE_CHECKING:
    from policy.plan.rows import Plan
    from policy.plan.scenario_start import Start
    from policy.situation import Situation
    from serving.casework import Casework
    from serving.snapshot import Snapshot

__all__ = ["Desk"]


class Desk:
    """Answers for one snapshot at a time; called from one thread (:mod:`serving.scoring_pool`).

    ``home`` is asked for further plans of the city's own only.
    """

    def __init__(self, home: Path, casework: Casework) -> None:
        self._home = home
        self._casework = casework
        self._laid: tuple[str, Situation] | None = None
        self._start: Start | None = None

    def situation(self, snapshot: Snapshot) -> Situation:
        """The city as the snapshot saw it."""
        from policy.situation import Situation

        if self._laid is None or self._laid[0] != snapshot.id:
            if not snapshot.law:
                raise NotAvailable(
                    f"The law must be a part of the snapshot, found none in {snapshot.id}.",
                    "Publish again with this version of Tidu.",
                )
            law, panel = self._casework.law(snapshot), self._casework.panel(snapshot)
            self._laid, self._start = (snapshot.id, Situation(law, panel)), None
        return self._laid[1]

    def difference(self, snapshot: Snapshot, pair: tuple[str, str]) -> dict[str, Any]:
        """What changes from one edition to another: clauses and firms."""
        from serving.planning import difference

        return difference(self.situation(snapshot).law, pair, self.situation(snapshot))

    def simulate(self, snapshot: Snapshot, raw: Mapping[str, Any]) -> dict[str, Any]:
        """What a scenario would change."""
        from policy.plan.scenario import parse
        from policy.plan.scenario_outcome import outcome
        from serving.planning import simulated

        situation = self.situation(snapshot)
        start = self._begin(snapshot, situation)
        scenario = parse(raw, "scenario", situation.law, start.plan, situation.day)
        return {"plan": start.plan.id, **simulated(outcome(scenario, start), start)}

    def _begin(self, snapshot: Snapshot, situation: Situation) -> Start:
        from policy.plan.grounded import footing
        from policy.plan.scenario_start import Start
        from policy.plan.stages import tiers_of
        from serving.prospects import HORIZON

        if self._start is None:
            on = footing(situation, self._plan(snapshot))
            order = {}
            for tier in tiers_of(on.plan):
                task = snapshot.tasks.get(f"promotion:{tier}@{HORIZON}")
                if task is not None:
                    chance = task.scores.probability[np.maximum(task.row_of, 0)]
                    order[tier] = np.where(task.row_of >= 0, chance, 0.0)
            self._start = Start(situation, on, order)
        return self._start

    def _plan(self, snapshot: Snapshot) -> Plan:
        """The plan that was published: among the snapshot's files, or one of the city's own."""
        from policy.plan.files import load_plans, plans_of

        if snapshot.plan is None:
            raise NotAvailable(
                f"The plan must be a part of the snapshot, found none in {snapshot.id}.",
                "Publish again with this version of Tidu.",
            )
        name = snapshot.plan.page("targets")["plan"]
        own = plans_of(snapshot.law)
        return own[name] if name in own else load_plans(self._home / "policy" / "plan")[name]
