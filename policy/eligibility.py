"""Who may apply: the gates of the edition in force, those of its criteria that ask who a firm is.

A gate asks for a title, a size class or the absence of a ban; how well a firm does is no gate. What
is not known of a firm bars nobody, and where no edition is in force the law has no gate.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel
from policy.conditions import Leaf
from policy.inputs import few_of_panel
from policy.law import Law
from policy.logic import UNMET
from policy.rules import Criterion, Edition, Purpose
from policy.values import Values
from policy.verdict import Judge
from tidu.errors import NotFound

__all__ = ["barred", "gates"]

STANDING = ("held", "ever", "banned", "size_low", "size_high")
"""What inputs of a gate begin with: titles, bans and the size class."""


def gates(law: Law, edition: Edition, purpose: Purpose = "new") -> tuple[Criterion, ...]:
    """The criteria of an edition that ask nothing but titles, bans and the size class."""
    return tuple(
        criterion
        for criterion in edition.criteria
        if purpose in criterion.purposes and _is_gate(_inputs(law, criterion))
    )


def barred(law: Law, panel: Panel, tier: str, among: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which firms of ``among`` the edition in force at the panel's day does not let apply.

    The fiscal year of the size class is that of the batch into which the day falls.
    """
    none = np.zeros(len(among), dtype=bool)
    try:
        batch = law.batch(tier, panel.as_of)
    except NotFound:  # no edition in force: nothing to miss
        return none
    edition = law.edition(batch.edition)
    asked = gates(law, edition)
    if not asked or not len(among):
        return none
    names = frozenset[str]().union(*(_inputs(law, criterion) for criterion in asked))
    few = _of_year(panel, among, batch.data_year)
    inputs = few_of_panel(law, few, batch.data_year, names)
    judge = Judge(Values(law, inputs), edition)
    unmet = [judge.criterion(criterion, "new") == UNMET for criterion in asked]
    out = inputs.firm_ids[np.any(unmet, axis=0)]
    return np.asarray(pd.Index(out, dtype=object).get_indexer(pd.Index(among, dtype=object)) >= 0)


def _of_year(panel: Panel, among: NDArray[np.object_], year: int) -> Panel:
    """What a gate may read of some firms: their records, titles and accounts of one year."""
    tables, wanted = dict(panel.tables), pd.Index(among, dtype=object)
    annual = tables["annual"]
    tables["annual"] = annual[(annual["year"] == year).to_numpy()]
    for name in ("firms", "annual", "titles"):
        # By hash of plain strings: isin of an Arrow column takes ten times as long.
        ids = pd.Index(tables[name]["firm_id"].to_numpy(dtype=object), dtype=object)
        chosen = wanted.get_indexer(ids) >= 0
        tables[name] = tables[name][chosen].reset_index(drop=True)
    return replace(panel, tables=tables)


def _inputs(law: Law, criterion: Criterion) -> frozenset[str]:
    leaves = (node for node in criterion.conditions() if isinstance(node, Leaf))
    return frozenset[str]().union(*(law.metrics[leaf.metric].inputs for leaf in leaves))


def _is_gate(inputs: frozenset[str]) -> bool:
    return bool(inputs) and all(name.partition("(")[0] in STANDING for name in inputs)
