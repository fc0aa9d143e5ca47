"""Which firms have a path within the horizon: for all at once where no search is needed.

Most firms are settled by vectorised verdicts: who passes as things stand, and who fails a test
that no change of a firm's own moves. A search is made only for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from policy.conditions import Leaf, ScoreTest
from policy.law import Law
from policy.logic import MET, MET_PENDING, UNMET
from policy.path.finding import Paths, Rescore
from policy.path.size import SIZES
from policy.path.timing import Ahead
from policy.rules import Criterion
from policy.values import Values
from policy.verdict import judge

__all__ = ["Reach", "reach", "settled"]

Floats = NDArray[np.float64]
Seen = Callable[[int, int], None]

_ANSWERS = {"met": 1.0, "reachable": 1.0, "not_within_two_years": 0.0, "blocked": 0.0}


class Reach(NamedTuple):
    """Per firm 1 or 0, NaN unknown; the chance with the gaps closed, NaN where none is known."""

    reachable: Floats
    after: Floats


@dataclass(frozen=True, slots=True)
class _Stage:
    passes: NDArray[np.bool_]
    fails: NDArray[np.bool_]
    """Who fails a test that nothing moves."""


def reach(
    prepared: Paths,
    rows: Sequence[int] | None = None,
    rescore: Rescore | None = None,
    seen: Seen | None = None,
) -> Reach:
    """Return for firms, by default all, whether they have a path; the others stay unknown.

    ``rescore`` gives the model's answer to each path that changes something, ``seen`` is told how
    many of the searches are done.
    """
    known = settled(prepared)
    after = np.full(len(known), np.nan)
    reachable = np.full(len(known), np.nan)
    asked = np.arange(len(known)) if rows is None else np.asarray(rows, dtype=int)
    reachable[asked] = known[asked]
    open_ = asked[np.isnan(known[asked])]
    for done, row in enumerate(open_):
        path = prepared.of(int(row), rescore)
        reachable[row] = _ANSWERS.get(path.status, np.nan)
        if path.scores is not None:
            after[row] = path.scores[1]
        if seen is not None:
            seen(done + 1, len(open_))
    return Reach(reachable, after)


def settled(prepared: Paths) -> Floats:
    """1 where time alone leads to the tier, 0 where what nothing moves stands against it, else NaN.

    Whoever needs a change is left open: only a search knows.
    """
    stages = [_stage(prepared, stage) for stage in prepared.stages]
    passes = np.any([stage.passes for stage in stages], axis=0)
    fails = np.all([stage.fails for stage in stages], axis=0)
    return np.where(passes, 1.0, np.where(fails, 0.0, np.nan))


def _stage(prepared: Paths, stage: Ahead) -> _Stage:
    verdict = judge(stage.edition, Values(prepared.law, stage.inputs), prepared.tier[1])
    moved = {name for field in prepared.changes.fields for name in field.moves} | set(SIZES)
    fixed = [_fixed(prepared.law, criterion, moved) for criterion in stage.edition.criteria]
    fails = (verdict.criteria[:, fixed] == UNMET).any(axis=1)
    if stage.years == 0:  # no year is open: nothing moves
        fails = (verdict.criteria == UNMET).any(axis=1)
    return _Stage(np.isin(verdict.status, (MET, MET_PENDING)), fails)


def _fixed(law: Law, criterion: Criterion, moved: set[str]) -> bool:
    """Whether no change of the firm's own moves anything that a criterion reads."""
    for condition in criterion.conditions():
        if isinstance(condition, ScoreTest):
            return False
        if isinstance(condition, Leaf):
            read = {name.partition("[")[0] for name in law.metrics[condition.metric].inputs}
            if read & moved:
                return False
    return True
