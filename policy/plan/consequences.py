"""What each row of the plan comes to at a day: a list, a count, an amount, a table of its data.

A row's kind and form say which function runs it; an id with a sentence beside it does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from policy.plan import measures, products, rewards
from policy.plan.footing import Footing
from policy.plan.pools import ladder, phases, pools, stages_of
from policy.plan.registers import dimensions, dynamic, models, steps
from policy.plan.reports import (
    budgets,
    catalogue,
    indicators,
    league,
    preference,
    progress,
    units,
)
from policy.plan.result import Result
from policy.plan.rows import Row
from policy.plan.targets import target
from tidu.errors import DataError

__all__ = ["consequence", "runner"]

Run = Callable[[Row, Footing], Result]


def _reward(row: Row, footing: Footing) -> Result:
    return rewards.run(row, footing.plan.by_id, footing.ground.panel, footing.settings)


_BY_FORM: Mapping[tuple[str, str], Run] = {
    ("pool", "pools"): pools,
    ("pool", "stages"): stages_of,
    ("pool", "phases"): phases,
    ("pool", "ladder"): ladder,
    ("criterion", "dimensions"): dimensions,
    ("criterion", "preference"): preference,
    ("register", "dynamic"): dynamic,
    ("register", "steps"): steps,
    ("register", "models"): models,
    ("report", "catalogue"): catalogue,
    ("report", "indicators"): indicators,
    ("report", "budgets"): budgets,
    ("report", "league"): league,
    ("report", "progress"): progress,
    ("report", "units"): units,
}

_BY_KIND: Mapping[str, Run] = {
    "target": target,
    "reward": _reward,
    "measure": lambda row, footing: measures.run(row, footing.ground),
    "product": lambda row, footing: products.run(row, footing.ground),
    "criterion": lambda row, footing: measures.run_criterion(row, footing.ground),
    "report": lambda row, footing: measures.run_report(row, footing.ground),
}


def runner(row: Row) -> Run:
    """The function that runs a row, by its kind and form."""
    found = _BY_FORM.get((row.kind, row.form)) or _BY_KIND.get(row.kind)
    if found is None:
        raise DataError(
            f"Row {row.id} must be of a kind and form that can run, found {row.kind} {row.form!r}.",
            cure="See policy/plan/consequences.py for the forms.",
        )
    return found


def consequence(row: Row | str, footing: Footing) -> Result:
    """Run a row of the footing's plan, by itself or by its id."""
    chosen = footing.plan.row(row) if isinstance(row, str) else row
    return runner(chosen)(chosen, footing)
