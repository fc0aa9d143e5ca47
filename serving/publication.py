"""What a publisher hands in: firms, their profile and, per task, scores with exact reasons.

Checked when built, so that whatever reaches the snapshot writer is whole and consistent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.wording import Feature
from serving.judging import Judged
from serving.planned import Planned
from serving.shortlist.codes import TASK_ADDRESS
from tidu.digest import canonical_json
from tidu.errors import Refused

if TYPE_CHECKING:
    import pandas as pd

    from model.rank_law import RankLaw
    from serving.shortlist.standing import Standing

__all__ = ["FIRM_COLUMNS", "Profile", "Publication", "TaskPart"]

Floats = NDArray[np.float64]

FIRM_COLUMNS = ("firm_id", "name", "district", "industry", "tier")
"""What every firm has, possibly unknown; further columns of the frame are shown as they are."""

SCORE_COLUMNS = ("firm_id", "score", "rank", "probability", "p_low", "p_high", "stale")

SUMS = 5e-10
"""Two rows of this exactness differ exactly to 1e-9, which pairwise reasons promise."""


@dataclass(frozen=True)
class Profile:
    """The growth profile of all firms, rows as in ``Publication.firms``; peers are 0–100."""

    features: tuple[Feature, ...]
    values: Floats
    peers: Floats | None = None


@dataclass(frozen=True)
class TaskPart:
    """One task scored: row i of every array is the firm of row i of ``scores``.

    ``scores`` has the columns firm_id, score, rank (1 = best), probability, p_low, p_high, stale,
    one row per firm of the cohort. ``contributions`` is n × (F+1), the last column the base.
    ``base_probability`` and ``base_slope``: the calibration at the base. ``facts``: what the
    bundle's manifest says of itself (trained as of, recipe, metrics), shown by ``/v1/models``.
    """

    task: str
    bundle_id: str
    scores: pd.DataFrame
    contributions: Floats
    values: Floats
    features: tuple[Feature, ...]
    base_probability: float
    base_slope: float
    peers: Floats | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    rank_law: RankLaw | None = None
    """How far places move with outcomes drawn anew; None where the bundle does not say."""

    def __post_init__(self) -> None:
        problems = [*self._shapes()]
        if not problems:
            problems += [*self._numbers()]
        if problems:
            raise Refused(
                f"The scores of {self.task!r} cannot be published: {'; '.join(problems)}.",
                "Score the cohort again with model.scoring and publish its result unchanged.",
            )

    @property
    def base(self) -> float:
        """The score of nobody in particular: what contributions start from."""
        return float(self.contributions[0, -1]) if len(self.contributions) else 0.0

    def _shapes(self) -> list[str]:
        n, width = len(self.scores), len(self.features)
        problems = []
        if not TASK_ADDRESS.fullmatch(self.task):
            problems.append("a task is addressed name[:variant]@months")
        try:
            canonical_json(dict(self.facts))
        except (TypeError, ValueError) as error:
            problems.append(f"facts must be JSON without NaN, found {error}")
        if missing := [c for c in SCORE_COLUMNS if c not in self.scores.columns]:
            problems.append(f"the scores must have the columns {missing}")
        shapes = {"contributions": (self.contributions, width + 1), "values": (self.values, width)}
        if self.peers is not None:
            shapes["peers"] = (self.peers, width)
        for name, (array, columns) in shapes.items():
            if array.shape != (n, columns):
                problems.append(f"{name} must be {(n, columns)}, found {array.shape}")
        return problems

    def _numbers(self) -> list[str]:
        s = {c: self.scores[c].to_numpy(dtype="float64") for c in SCORE_COLUMNS[1:]}
        problems = []
        if not all(np.isfinite(column).all() for column in s.values()):
            problems.append("every score must be a number, found unknown or infinite ones")
        order = np.lexsort((self.scores["firm_id"].to_numpy(dtype=str), -s["score"]))
        if not np.array_equal(s["rank"][order], np.arange(1, len(order) + 1)):
            problems.append("rank must be 1…n by falling score, ties by firm_id")
        low, middle, high = s["p_low"], s["probability"], s["p_high"]
        if not ((low >= 0) & (low <= middle) & (middle <= high) & (high <= 1)).all():
            problems.append("0 ≤ p_low ≤ probability ≤ p_high ≤ 1 must hold")
        off = np.abs(self.contributions.sum(axis=1) - s["score"])
        if not (off <= SUMS * np.maximum(1, np.abs(s["score"]))).all():
            problems.append(f"contributions must sum to the score within {SUMS:g}")
        if np.ptp(self.contributions[:, -1]) if len(order) else 0:
            problems.append("the base must be the same in every row")
        if self.peers is not None and (
            np.nanmin(self.peers, initial=0) < 0 or np.nanmax(self.peers, initial=0) > 100
        ):
            problems.append("peer positions must lie in 0–100")
        return problems


@dataclass(frozen=True)
class Publication:
    """All of one snapshot. ``code_version`` is of the code that scored."""

    as_of: date
    vault_head: str
    firms: pd.DataFrame
    tasks: Mapping[str, TaskPart]
    profile: Profile | None = None
    judged: Judged | None = None
    """The verdicts, rows as in ``firms``."""
    planned: Planned | None = None
    """The plan run on the same firms."""
    standing: Standing | None = None
    """What shortlists rest on, rows as in ``firms``."""
    code_version: str = ""

    def __post_init__(self) -> None:
        problems = [*self._firm_problems()]
        if not problems:
            known = set(self.firms["firm_id"])
            for name, task in self.tasks.items():
                if name != task.task:
                    problems.append(f"{task.task!r} stands under the name {name!r}")
                if strange := set(task.scores["firm_id"]) - known:
                    problems.append(
                        f"{name} scores firms that are not there: {sorted(strange)[:3]}"
                    )
        if self.judged is not None and not problems:
            self.judged.refuse_unless_of(len(self.firms))
        if self.planned is not None and not problems:
            self.planned.refuse_unless_of(len(self.firms))
        if self.standing is not None and not problems:
            self.standing.refuse_unless_of(len(self.firms))
        if problems:
            raise Refused(
                f"A publication must be consistent: {'; '.join(problems)}.",
                "Build it from one panel.",
            )

    def _firm_problems(self) -> list[str]:
        if missing := [c for c in FIRM_COLUMNS if c not in self.firms.columns]:
            return [f"firms must have the columns {missing}"]
        ids = self.firms["firm_id"]
        problems = []
        if ids.isna().any() or (ids == "").any() or ids.duplicated().any():
            problems.append("every firm must have one firm_id of its own")
        if self.profile is not None:
            shape = (len(ids), len(self.profile.features))
            for name, array in (("values", self.profile.values), ("peers", self.profile.peers)):
                if array is not None and array.shape != shape:
                    problems.append(f"profile {name} must be {shape}, found {array.shape}")
        return problems
