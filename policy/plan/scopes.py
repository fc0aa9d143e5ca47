"""Scopes of the plan: which firms a row speaks of, by the titles they hold at the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import LADDER, covered, valid_titles
from features.panel import Panel
from policy.logic import MET, UNKNOWN, UNMET, Status, statuses

__all__ = ["SCOPES", "among", "holds_any", "in_scope"]

_NATIONAL = ("little_giant", "key_little_giant")
_PROVINCIAL_UP = ("srdi_provincial", *_NATIONAL)
_ALL = ("srdi_municipal", *_PROVINCIAL_UP, "single_champion", "single_champion_product")

SCOPES: Mapping[str, tuple[str, ...]] = {
    "all": _ALL,
    "prov+": _PROVINCIAL_UP,
    "prov": ("srdi_provincial",),
    "nat": _NATIONAL,
    "muni": ("srdi_municipal",),
    # Every SRDI firm is an innovative SME that has climbed.
    "innov": ("innovative_sme", *_ALL),
    "champ": ("single_champion", "single_champion_product"),
}
"""The tiers of a scope; ``inst`` speaks of institutions, ``sme`` of every firm."""


def holds_any(panel: Panel, tiers: Sequence[str]) -> Status:
    """Whether each of ``panel.firm_ids`` holds a valid title of these tiers.

    Without a title, a firm holds none only where the records of the tiers are complete. Those of
    the ladder decide: who is a key little giant is a little giant, too.
    """
    titles = valid_titles(panel)
    holders = titles.loc[titles["tier"].isin(tiers).to_numpy(), "firm_id"]
    complete = all(covered(panel, f"title:{tier}") for tier in tiers if tier in LADDER)
    held = among(panel.firm_ids, holders)
    return np.where(held, MET, UNMET if complete else UNKNOWN).astype(np.int8)


def among(firm_ids: NDArray[np.object_], ids: Iterable[str]) -> NDArray[np.bool_]:
    """Which firms are among ``ids`` (by hash: np.isin compares objects one by one)."""
    return np.asarray(pd.Index(firm_ids).isin(list(ids)))


def in_scope(panel: Panel, scope: str) -> Status:
    """Which of ``panel.firm_ids`` a row of this scope speaks of."""
    if scope == "sme":
        return statuses(len(panel.firm_ids), MET)
    if scope == "inst":
        return statuses(len(panel.firm_ids), UNMET)
    return holds_any(panel, SCOPES[scope])
