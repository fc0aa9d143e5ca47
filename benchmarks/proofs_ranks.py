"""Proofs on how sure a rank is and how long a list must be, where the true hazards are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from benchmarks.known_truth import Ranked, measured
from benchmarks.known_truth_rows import town
from benchmarks.proof_item import Counts, Proof
from benchmarks.proofs_truth import FULL, SAMPLE
from benchmarks.redrawn import Outcomes
from model.examples import cohort_at, matrix
from model.recall import Length
from model.scoring import ranks
from model.training import REDRAWS, Run, train

__all__ = ["PROOFS", "Moves", "list_lengths", "moves"]

AS_OF = date(2025, 6, 30)
TOP = 200
LISTS = (20, 50, 100)
BINS = 10
COVERED, COVERED_BY_FEW = (0.88, 0.92), (0.75, 0.99)
"""Of one small city little can be asked: its firms share one law."""
ERROR = 0.03
RECALL, LONGER = 0.89, 1.3


@dataclass(frozen=True)
class Plan:
    """Cities and tiers; of the ``draws`` of outcomes the first ``laws`` carry a law of ranks."""

    firms: int
    seeds: tuple[int, ...]
    tiers: tuple[str, ...]
    laws: int
    draws: int


TIERS = ("innovative_sme", "srdi_municipal", "srdi_provincial", "little_giant")
WHOLE = Plan(8_000, (1, 2), TIERS, 2, 4)
SMALL = Plan(2_500, (1,), ("srdi_municipal",), 1, 3)


@dataclass
class Moves:
    """Pairs of draws of one tier: what was covered, and chances beside what came of them."""

    covered: list[float] = field(default_factory=list)
    width: list[float] = field(default_factory=list)
    chance: list[np.ndarray] = field(default_factory=list)
    came: list[np.ndarray] = field(default_factory=list)

    def error(self) -> float:
        """Expected calibration error of the chances to belong to the top, ten equal bins."""
        if not self.chance:
            return float("nan")
        chance, came = np.concatenate(self.chance), np.concatenate(self.came)
        order = np.argsort(chance, kind="stable")
        parts = [p for p in np.array_split(order, BINS) if len(p)]
        gaps = [len(p) * abs(chance[p].mean() - came[p].mean()) for p in parts]
        return float(sum(gaps) / len(order))


def moves(firms: int, seed: int, tier: str, laws: int, draws: int) -> Moves:
    """Train on ``draws`` independent draws of outcomes; judge the laws of the first ``laws``."""
    here = town(firms, seed)
    task, outcomes = here.task(tier), Outcomes(here.city.truth)
    asked = cohort_at(here.history, task, AS_OF)
    asked = asked.kept(asked.fresh)
    found, known = [], []
    for number in range(draws):
        run = Run(seed, redraws=REDRAWS if number < laws else 0)
        with outcomes.drawn(number):
            trained = train(here.history, task, AS_OF, run)
        score = trained.model.scores(matrix(asked, trained.profile).values)
        found.append(ranks(score, asked.firm_ids))
        known.append(trained.rank_law)
    result, of = Moves(), len(asked.firm_ids)
    for number, law in enumerate(known[:laws]):
        if law is None:
            continue
        rank = found[number]
        low, high = law.interval(rank, of)
        others = [other for i, other in enumerate(found) if i != number]
        head = rank <= TOP
        result.width.append(float((high - low)[head].mean()))
        result.covered += [float(((low <= o) & (o <= high))[head].mean()) for o in others]
        for k in (k for k in LISTS if k < of):
            chance = law.top(k, rank, of)
            open_yet = chance > 0.005
            result.chance += [chance[open_yet]] * len(others)
            result.came += [(other <= k)[open_yet].astype("float64") for other in others]
    return result


def _rank_intervals(sample: bool) -> Counts:
    plan = SMALL if sample else WHOLE
    counts: dict[str, object] = {"top": TOP, "pairs": 0}
    shares, together = [], Moves()
    for tier in plan.tiers:
        mine = Moves()
        for seed in plan.seeds:
            found = moves(plan.firms, seed, tier, plan.laws, plan.draws)
            for name in ("covered", "width", "chance", "came"):
                getattr(mine, name).extend(getattr(found, name))
                getattr(together, name).extend(getattr(found, name))
        if mine.covered:
            counts[f"{tier} covered"] = round(float(np.mean(mine.covered)), 4)
            counts[f"{tier} width"] = round(float(np.mean(mine.width)), 1)
            counts[f"{tier} error of top chances"] = round(mine.error(), 4)
            shares.append(float(np.mean(mine.covered)))
    counts["pairs"] = len(together.covered)
    counts["covered"] = round(float(np.mean(shares)), 4)
    counts["error of top chances"] = round(together.error(), 4)
    counts["cities"] = len(plan.seeds)
    return counts


def _covers(counts: Counts) -> bool:
    few = int(str(counts["cities"])) < 2
    low, high = COVERED_BY_FEW if few else COVERED
    sharp = few or float(str(counts["error of top chances"])) <= ERROR
    return low <= float(str(counts["covered"])) <= high and sharp


def list_lengths(found: Sequence[Ranked]) -> Counts:
    """Per tier: outcomes held by the list that training promised, and how long it had to be.

    The oracle's list is the shortest of its order that holds 90 % of the expected outcomes.
    """
    counts: dict[str, object] = {"lists": len(found), "cities": len({t.seed for t in found})}
    sums = []
    for tier in sorted({t.tier for t in found}):
        rows = [row for t in found if t.tier == tier and (row := _listed(t)) is not None]
        if not rows:
            counts[f"{tier} promised"] = "nothing: too few outcomes"
            continue
        sums.append(np.sum(rows, axis=0))
        counts |= {f"{tier} {name}": value for name, value in _shares(sums[-1]).items()}
    return counts | _shares(np.sum(sums, axis=0))


def _shares(sums: np.ndarray) -> dict[str, float]:
    held, came, length, best = (float(v) for v in sums)
    return {"recall": round(held / came, 4), "longer than the oracle's": round(length / best, 4)}


def _listed(tested: Ranked) -> tuple[float, float, float, float] | None:
    """Outcomes held, outcomes, the list's length and the oracle's; None where none is promised."""
    label, hazard = np.nan_to_num(tested.known["label"]), np.nan_to_num(tested.known["hazard"])
    share = float(tested.known["length"])
    length = Length(None if np.isnan(share) else share, 0.1, 0).firms(len(label))
    if length is None:
        return None
    mine = np.argsort(-tested.known["tidu"], kind="stable")[:length]
    best = np.cumsum(hazard[np.argsort(-tested.known["observable"], kind="stable")])
    shortest = int(np.searchsorted(best, 0.9 * best[-1])) + 1
    return float(label[mine].sum()), float(label.sum()), float(length), float(shortest)


def _list_length(sample: bool) -> Counts:
    return list_lengths(measured(SAMPLE if sample else FULL))


def _holds(counts: Counts) -> bool:
    """One small city can only show that a list is promised."""
    if int(str(counts["cities"])) < 20:
        return float(str(counts["recall"])) > 0.7
    recall, longer = counts["recall"], counts["longer than the oracle's"]
    return float(str(recall)) >= RECALL and float(str(longer)) <= LONGER


PROOFS = [
    Proof(
        "rank-intervals",
        "90 % rank intervals hold, for 88 to 92 % of the top 200, the rank by a model trained on an"
        " independent draw of outcomes of the same city; chances of the top 20, 50 and 100 are"
        " off by at most 0.03",
        _rank_intervals,
        holds=_covers,
        issue=4,
    ),
    Proof(
        "list-length",
        "the list promised to hold 90 % of next year's titles holds 89 % of them at no more than"
        " 1.3 times the length that the observable oracle needs",
        _list_length,
        holds=_holds,
        issue=4,
    ),
]
