"""Scoring: the one path from a panel and a bundle to order, chance and reasons.

Used alike by training reports, the command line, publishing and what-if.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.expr import Array
from features.panel import Panel
from features.profile import FeatureMatrix, Observation, observe
from model.bundle import Bundle
from model.editions import Statement, blanked, statements
from model.labels import cohort, fresh
from policy.law import Law
from tidu.errors import NotAvailable, Refused

__all__ = ["ScoreBook", "ranks", "score", "score_rows", "seen_by"]


@dataclass(frozen=True)
class ScoreBook:
    """Scores of a cohort, one row a firm, sorted by firm_id.

    ``rank`` 1 is best, by score, ties by firm_id. ``stale`` marks accounts older than usual,
    ``positions`` (firms, features) says
    where each value stands among peers, 0–100, NaN where that is not known. ``statements`` must
    stand on every row that shows a chance of the book.
    """

    bundle: Bundle
    matrix: FeatureMatrix
    score: Array
    rank: Array
    probability: Array
    p_low: Array
    p_high: Array
    stale: Array
    positions: Array
    statements: tuple[Statement, ...] = ()

    @property
    def firm_ids(self) -> Array:
        return self.matrix.firm_ids

    def frame(self) -> pd.DataFrame:
        """As a table in order of rank: firm_id, rank, score, probability, p_low, p_high."""
        table = pd.DataFrame(
            {
                "firm_id": self.firm_ids,
                "rank": self.rank,
                "score": self.score,
                "probability": self.probability,
                "p_low": self.p_low,
                "p_high": self.p_high,
            }
        )
        return table.sort_values("rank", ignore_index=True)


def score(bundle: Bundle, panel: Panel, law: Law | None = None) -> ScoreBook:
    """Score the cohort of the bundle's task at the panel's date, stale firms included.

    ``law`` says who may apply and which routes are open; without one it is the law as it ships.
    """
    seen = seen_by(bundle, panel)
    index = np.flatnonzero(cohort(bundle.task, seen, law))
    if not len(index):
        raise NotAvailable(
            f"{bundle.task.name} has no firm to score on {panel.as_of}.",
            "Choose another --as-of, or import newer accounts.",
        )
    return score_rows(bundle, seen, index, law)


def score_rows(
    bundle: Bundle, seen: Observation, index: Array, law: Law | None = None
) -> ScoreBook:
    """Score chosen firms of an observation, in the cohort or not.

    A feature of a route that was abolished since the bundle was trained is unknown of everybody.
    """
    panel = seen.cube.panel
    matrix = bundle.profile.matrix(seen).rows(index)
    specs = bundle.profile.specs
    values = blanked(bundle.task, specs, matrix.values, panel.as_of, law)
    matrix = replace(matrix, values=values)
    scores = bundle.model.scores(values)
    low, high = bundle.calibration.interval(scores)
    return ScoreBook(
        bundle,
        matrix,
        scores,
        ranks(scores, matrix.firm_ids),
        bundle.calibration.probability(scores),
        low,
        high,
        ~fresh(seen)[index],
        blanked(bundle.task, specs, bundle.profile.positions(seen)[index], panel.as_of, law),
        statements(bundle.task, bundle.report, panel, law),
    )


def ranks(score: Array, firm_ids: Array) -> Array:
    """Rank 1…n by falling score, ties by firm_id."""
    order = np.lexsort((firm_ids.astype(str), -score))
    rank = np.empty(len(score), dtype=np.int64)
    rank[order] = np.arange(1, len(score) + 1)
    return rank


def seen_by(bundle: Bundle, panel: Panel) -> Observation:
    """Lay the panel out; a home without the further columns of the bundle is refused."""
    known = {extra.name for extra in panel.extras}
    needed = set().union(*(spec.expr.sources for spec in bundle.profile.specs))
    foreign = sorted(name for name in needed if name not in known and not panel.registered(name))
    if foreign:
        raise Refused(
            f"Bundle {bundle.id} reads columns that this home does not know: {foreign}.",
            "Score it in a home that imported its mapping, or train a bundle on this home's data.",
        )
    return observe(panel)
