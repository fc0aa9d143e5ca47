"""Which features the law of the ladder asks about.

What an authority is bound to look at is worth more, from few titles, than what happens to go with
them: a recipe that borrows from the ladder may trust these features more than the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from features.expr import Array
from features.facts import LADDER
from features.spec import FeatureSpec
from policy.law import Law
from policy.loading import standing

__all__ = ["cited"]


def cited(specs: Sequence[FeatureSpec], day: date) -> Array:
    """Return per feature whether it computes with what criteria of the ladder read: bool (F,).

    Criteria are those of every edition that had come into force by ``day``; all its columns are
    read by some of them, or all columns of one metric of several are among its own (a debt ratio
    that can also be told from parts of the balance sheet). Before the first edition all are cited:
    nothing tells them apart. The law is the one that ships, as for the cohorts.
    """
    read = _read(standing(), day)
    if not read:
        return np.ones(len(specs), dtype=bool)
    columns = frozenset().union(*read)
    formulas = [metric for metric in read if len(metric) > 1]

    def asked(sources: frozenset[str]) -> bool:
        return bool(sources) and (
            sources <= columns or any(metric <= sources for metric in formulas)
        )

    return np.array([asked(spec.expr.sources) for spec in specs], dtype=bool)


def _read(law: Law, day: date) -> set[frozenset[str]]:
    """The columns of each metric that a criterion or score of the ladder reads."""
    uses = (use for use in law.uses if use.tier in LADDER and use.purpose == "new")
    editions = {use.edition for use in uses if use.start <= day}
    metrics = {name for edition in editions for name in law.edition(edition).metrics}
    columns = (law.metrics[name].inputs for name in metrics)
    return {frozenset(name.partition("[")[0] for name in inputs) for inputs in columns if inputs}
