"""The choice itself: arrays of candidates and a question in, places in order out.

Nothing here knows of snapshots, stores or answers, so the same choice can be made in worlds that
never were: the data of one day with the model of another, the rules of a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from serving.shortlist.codes import INSIDE, NO, OUTSIDE, STAGES, UNKNOWN, YES
from serving.shortlist.question import Question
from tidu.errors import Refused

__all__ = [
    "INSIDE",
    "NO",
    "OUTSIDE",
    "STAGES",
    "UNKNOWN",
    "YES",
    "Candidates",
    "Choice",
    "Turned",
    "choose",
]


@dataclass(frozen=True)
class Candidates:
    """All firms by rising ``firm_ids``, one entry each.

    ``score`` is NaN where the model did not score; ``outside`` indexes :data:`OUTSIDE`. A
    ``district``, ``industry`` or ``size`` is None where it is not on record, and then passes no
    filter. ``stage`` indexes :data:`STAGES`; it and ``missed`` are :data:`UNKNOWN` where nobody
    can say.
    """

    firm_ids: NDArray[np.object_]
    score: NDArray[np.float64]
    outside: NDArray[np.int8]
    district: NDArray[np.object_]
    industry: NDArray[np.object_]
    size: NDArray[np.object_]
    stage: NDArray[np.int8]
    missed: NDArray[np.int8]

    def __post_init__(self) -> None:
        lengths = {f.name: len(getattr(self, f.name)) for f in fields(self)}
        problems = []
        if len(set(lengths.values())) > 1:
            problems.append(f"every array must be of one length, found {lengths}")
        elif not (self.firm_ids[:-1] < self.firm_ids[1:]).all():
            problems.append("firm_ids must rise, each once")
        elif np.isnan(self.score[self.outside == INSIDE]).any():
            problems.append("every firm inside the cohort must have a score")
        if problems:
            raise Refused(f"Candidates: {'; '.join(problems)}.", "Lay them out from one snapshot.")

    def __len__(self) -> int:
        return len(self.firm_ids)

    def place(self, firm_id: str) -> int:
        """The place of a firm, −1 where there is none of that id."""
        at = int(np.searchsorted(self.firm_ids, firm_id))
        return at if at < len(self) and self.firm_ids[at] == firm_id else -1


@dataclass(frozen=True, slots=True)
class Turned:
    """A firm that had to be in and cannot be, with the reason's code of :data:`OUTSIDE`."""

    firm_id: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """``places`` index the candidates in the order of the list: by falling score, ties by firm_id.

    ``included`` marks those that only their inclusion brought in; ``passing`` the eligible, who
    pass mode and filters; ``open`` who passes the filters while nobody can say whether the mode
    applies: they are in no list of that mode, which the list says.
    """

    places: NDArray[np.intp]
    included: NDArray[np.bool_]
    passing: NDArray[np.bool_]
    open: NDArray[np.bool_]
    short: int
    turned: tuple[Turned, ...] = ()

    @property
    def eligible(self) -> int:
        return int(self.passing.sum())

    @property
    def unknown(self) -> int:
        return int(self.open.sum())


def choose(candidates: Candidates, question: Question) -> Choice:
    """Make the choice: the best by score among those who pass, with everyone who must be in.

    A firm outside the cohort is never in, even where it must be: it is ``turned``.
    """
    ids, inside = candidates.firm_ids, candidates.outside == INSIDE
    asked = _filtered(candidates, question) & inside & ~_among(ids, question.exclude)
    applies = _mode(candidates, question.mode)
    passing = asked & (applies == YES)
    must = np.zeros(len(candidates), dtype=bool)
    turned = []
    for firm in question.include:
        at = candidates.place(firm)
        if at >= 0 and inside[at]:
            must[at] = True
        else:
            turned.append(Turned(firm, OUTSIDE[candidates.outside[at]] if at >= 0 else "not_there"))
    free = max(question.k - int(must.sum()), 0)
    best = _by_score(candidates, np.flatnonzero(passing & ~must))[:free]
    places = _by_score(candidates, np.concatenate([np.flatnonzero(must), best]))
    own = _by_score(candidates, np.flatnonzero(passing))[: question.k]
    return Choice(
        places,
        ~np.isin(places, own),
        passing,
        asked & (applies == UNKNOWN),
        question.k - len(places),
        tuple(turned),
    )


def _filtered(candidates: Candidates, question: Question) -> NDArray[np.bool_]:
    passes = np.ones(len(candidates), dtype=bool)
    if question.districts:
        passes &= _among(candidates.district, question.districts)
    if question.sizes:
        passes &= _among(candidates.size, question.sizes)
    if question.industries:
        begins = question.industries
        known = {code for code in candidates.industry if code is not None}
        passes &= _among(candidates.industry, [c for c in known if str(c).startswith(begins)])
    return passes


def _mode(candidates: Candidates, mode: str) -> NDArray[np.int8]:
    if not mode:
        return np.full(len(candidates), YES, dtype=np.int8)
    if mode == "missed":
        return candidates.missed
    applies = np.where(candidates.stage == STAGES.index(mode), YES, NO)
    return np.where(candidates.stage == UNKNOWN, UNKNOWN, applies).astype(np.int8)


def _among(values: NDArray[np.object_], wanted: Sequence[str]) -> NDArray[np.bool_]:
    allowed = set(wanted)
    return np.fromiter((v in allowed for v in values), dtype=bool, count=len(values))


def _by_score(candidates: Candidates, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """By falling score; firm_ids rise with their places, so a stable sort breaks ties by them."""
    places = np.sort(places)
    return places[np.argsort(-candidates.score[places], kind="stable")]
