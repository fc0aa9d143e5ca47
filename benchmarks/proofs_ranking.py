"""The bar "ranking" on the real sets, and the share of it that CI runs."""

from __future__ import annotations

import numpy as np

from benchmarks.proof_item import Counts, Proof
from benchmarks.real_sets import measured
from benchmarks.rivals import RIVALS

__all__ = ["PROOFS"]

SAMPLE_SETS = ["es_firm_year"]
SAMPLE_RIVALS = ["best_ratio", "scorecard", "xgboost"]


def ranking(sample: bool) -> Counts:
    """Mean AP and AUC over the sets, the better input of each rival, and who is behind where."""
    rivals = SAMPLE_RIVALS if sample else list(RIVALS)
    found = measured(SAMPLE_SETS, rivals, 1) if sample else measured([], rivals)
    counts: dict[str, object] = {"sets": len(found)}
    for model in ("tidu", *rivals):
        for figure in ("ap", "auc"):
            best = [
                max(getattr(r, figure) for r in results if r.model == model)
                for _, results in found.values()
            ]
            counts[f"{model} mean {figure}"] = round(float(np.mean(best)), 4)
    counts["behind"] = ", ".join(
        f"{name} {r.model} {r.input}"
        for name, (_, results) in found.items()
        for r in results
        if r.ahead_ap[1] < 0 or r.ahead_auc[1] < 0
    )
    return counts


def _holds(counts: Counts) -> bool:
    """One set alone cannot show who is ahead on the mean; it can show who is behind."""
    if counts["behind"] or counts["sets"] == len(SAMPLE_SETS):
        return not counts["behind"]
    own = {f: float(str(counts[f"tidu mean {f}"])) for f in ("ap", "auc")}
    others = [
        (key.rsplit(" ", 1)[1], float(str(value)))
        for key, value in counts.items()
        if " mean " in key and not key.startswith("tidu")
    ]
    return all(own[figure] >= value for figure, value in others)


PROOFS = [
    Proof(
        "ranking",
        "on the real sets Tidu has the highest mean AP and AUC and is behind no rival by more than"
        " a paired bootstrap over firms allows",
        ranking,
        holds=_holds,
        issue=2,
    )
]
