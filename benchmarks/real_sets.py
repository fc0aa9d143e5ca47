"""The bar "ranking": Tidu against its rivals on the real sets, one untouched configuration.

Each rival gets the file's own columns with lags and differences, and Tidu's profile; its better
one counts. AP and AUC are of one list a date, weighted by positives, averaged over five seeds;
intervals are 95 % of a paired bootstrap over firms. Scores are kept under ``var/real_sets`` by
the digest of what they were made from, so a run continues where the last one stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.proof_item import Skip
from benchmarks.real_sets_data import REPEATS, ROOT, SETS, Cell, Prepared, prepared
from benchmarks.rivals import RIVALS
from model.recipes import RECIPES
from model.selection import choose, learn_on
from model.training import silent
from tidu import digest

__all__ = ["main", "measured"]

KEPT = ROOT / "var" / "real_sets"
DRAWS = 1000
Scores = np.ndarray


@dataclass(frozen=True)
class Result:
    """Figures of one model on one set, and its difference to Tidu's (95 % interval)."""

    model: str
    input: str
    ap: float
    auc: float
    ahead_ap: tuple[float, float]
    ahead_auc: tuple[float, float]


def main() -> None:
    """Print the table; arguments choose sets by name, ``--rivals a,b`` chooses rivals."""
    try:
        print(report(*_arguments(sys.argv[1:])))
    except Skip as reason:
        print(f"skipped: {reason}")


def measured(
    names: list[str], rivals: list[str], repeats: int = REPEATS
) -> dict[str, tuple[Prepared, list[Result]]]:
    """Score every chosen set by Tidu and the rivals, ``repeats`` times."""
    found = {}
    for chosen in SETS:
        if names and chosen.name not in names:
            continue
        rows = prepared(chosen)
        rows = replace(rows, cells=tuple(c for c in rows.cells if c.repeat < repeats))
        scores = {("tidu", "profile"): _scores(rows, "tidu", "profile", _tidu)}
        for rival in rivals:
            for source in ("profile", "raw"):
                scores[rival, source] = _scores(rows, rival, source, _rival(rival))
        found[chosen.name] = (rows, _compared(rows, scores))
        _say(f"{chosen.name}: done")
    return found


def report(names: list[str], rivals: list[str]) -> str:
    """The table, set by set, and the means over the sets."""
    lines = []
    found = measured(names, rivals)
    for name, (rows, results) in found.items():
        dates = ", ".join(str(d) for d in np.unique(rows.dates))
        lines.append(
            f"\n{name} {rows.set.task}: {rows.split}, test dates {dates}; n {len(rows.label)},"
            f" positives {int(rows.label.sum())}, in training {list(rows.training_positives)}"
        )
        lines.append("model                  input    AP     AUC    tidu ahead AP      AUC")
        lines += [_line(result) for result in results]
    lines.append("\nmean over the sets, the better input of each rival")
    for model in ("tidu", *rivals):
        ap = [max(r.ap for r in results if r.model == model) for _, results in found.values()]
        auc = [max(r.auc for r in results if r.model == model) for _, results in found.values()]
        lines.append(f"{model:22s} AP {np.mean(ap):.4f}  AUC {np.mean(auc):.4f}")
    return "\n".join(lines)


def _line(r: Result) -> str:
    ap, auc = (f"{low:+.4f}…{high:+.4f}" for low, high in (r.ahead_ap, r.ahead_auc))
    behind = "  BEHIND" if r.ahead_ap[1] < 0 or r.ahead_auc[1] < 0 else ""
    return f"{r.model:22s} {r.input:7s}  {r.ap:.4f} {r.auc:.4f}  {ap}  {auc}{behind}"


def _arguments(words: list[str]) -> tuple[list[str], list[str]]:
    rivals = list(RIVALS)
    if "--rivals" in words:
        at = words.index("--rivals")
        rivals = [r for r in words[at + 1].split(",") if r]
        words = words[:at] + words[at + 2 :]
    return [w for w in words if w in {s.name for s in SETS}], rivals


Learner = Callable[[Cell, str], Scores]


def _tidu(cell: Cell, source: str) -> Scores:
    rows = cell.examples(source)
    choice = choose(rows, cell.directions, RECIPES, cell.repeat, silent)
    model = learn_on(rows, cell.directions, choice.recipe, cell.repeat)
    return model.scores(cell.test[source])


def _rival(name: str) -> Learner:
    def learn(cell: Cell, source: str) -> Scores:
        train, test = cell.train[source], cell.test[source]
        kept = ~np.isnan(train).all(axis=0)
        return RIVALS[name](train[:, kept], cell.label, test[:, kept], cell.repeat)

    return learn


def _scores(rows: Prepared, model: str, source: str, learn: Learner) -> Scores:
    """Scores as (repeats, rows), cell by cell from the kept ones or anew."""
    repeats = 1 + max(cell.repeat for cell in rows.cells)
    scores = np.full((repeats, len(rows.label)), np.nan)
    recipe = repr(RECIPES) if model == "tidu" else ""
    for i, cell in enumerate(rows.cells):
        made_from = digest.of_json([model, recipe, cell.repeat, _digest(cell, source)])
        kept = KEPT / f"{rows.set.name}-{model}-{source}-{made_from[:16]}.npy"
        if kept.exists():
            scores[cell.repeat, cell.place] = np.load(kept)
            continue
        scores[cell.repeat, cell.place] = learn(cell, source)
        _keep(kept, scores[cell.repeat, cell.place])
        _say(f"{rows.set.name} {model} {source}: {i + 1}/{len(rows.cells)}")
    return scores


def _keep(path: Path, scores: Scores) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".staged.npy")
    np.save(staged, scores)
    staged.rename(path)


def _digest(cell: Cell, source: str) -> str:
    arrays = (cell.train[source], cell.test[source], cell.label)
    return digest.of_json([digest.of_bytes(np.ascontiguousarray(a).tobytes()) for a in arrays])


def _compared(rows: Prepared, scores: dict[tuple[str, str], Scores]) -> list[Result]:
    weights = _resamples(rows.groups)
    ones = np.ones((1, len(rows.label)))
    drawn = {key: _metrics(rows, values, weights) for key, values in scores.items()}
    whole = {key: _metrics(rows, values, ones) for key, values in scores.items()}
    own_ap, own_auc = drawn["tidu", "profile"]
    results = []
    for (model, source), (ap, auc) in drawn.items():
        low_ap, high_ap = np.nanquantile(own_ap - ap, [0.025, 0.975])
        low_auc, high_auc = np.nanquantile(own_auc - auc, [0.025, 0.975])
        ap_whole, auc_whole = (float(v[0]) for v in whole[model, source])
        results.append(
            Result(model, source, ap_whole, auc_whole, (low_ap, high_ap), (low_auc, high_auc))
        )
    return results


def _resamples(groups: np.ndarray) -> np.ndarray:
    """How often each row stands in each bootstrap draw of split groups: (draws, rows)."""
    names, index = np.unique(groups.astype(str), return_inverse=True)
    rng = np.random.default_rng(0)
    size = len(names)
    times = [np.bincount(rng.integers(0, size, size), minlength=size)[index] for _ in range(DRAWS)]
    return np.stack(times).astype("float64")


def _metrics(rows: Prepared, scores: Scores, weights: np.ndarray) -> tuple[Scores, Scores]:
    """AP and AUC per draw: one list a date, weighted by positives, averaged over repeats."""
    ap, auc = np.zeros(len(weights)), np.zeros(len(weights))
    repeats = len(scores)
    for repeat in range(repeats):
        total = np.zeros(len(weights))
        sums = [np.zeros(len(weights)), np.zeros(len(weights))]
        for day in np.unique(rows.dates):
            here = rows.dates == day
            label, weight = rows.label[here], weights[:, here]
            positives = weight @ label
            a, u = _weighted(label, scores[repeat, here], weight)
            usable = np.isfinite(a) & np.isfinite(u)
            total += np.where(usable, positives, 0.0)
            sums[0] += np.where(usable, positives * a, 0.0)
            sums[1] += np.where(usable, positives * u, 0.0)
        ap += sums[0] / total / repeats
        auc += sums[1] / total / repeats
    return ap, auc


def _weighted(label: Scores, score: Scores, weight: np.ndarray) -> tuple[Scores, Scores]:
    """AP and AUC of one list under row weights (draws, rows), ties entering together."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    w = weight[:, order]
    hits = np.cumsum(w * label[order], axis=1)[:, last]
    seen = np.cumsum(w, axis=1)[:, last]
    with np.errstate(all="ignore"):
        steps = np.diff(hits, axis=1, prepend=0.0)
        ap = np.nansum(steps * hits / seen, axis=1) / hits[:, -1]
        misses = seen - hits
        below = misses[:, -1:] - misses
        tied = np.diff(misses, axis=1, prepend=0.0)
        auc = (steps * (below + tied / 2)).sum(axis=1) / (hits[:, -1] * misses[:, -1])
    return ap, auc


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
