"""What models and paths say of the plan's targets: chances of entry, who can get there in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from serving.workspace import Workspace
from tidu.errors import NotAvailable

if TYPE_CHECKING:
    from features.panel import Panel
    from model.bundle import Bundle
    from policy.path.finding import Rescore
    from policy.plan.footing import Footing
    from policy.situation import Situation

__all__ = ["chances", "rescorer", "with_chances", "with_paths"]

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

HORIZON = 12
"""Forecasts and stages ask for entries within a year."""


def with_chances(footing: Footing, workspace: Workspace, progress: Progress) -> Footing:
    """Add the chances of every target for whose tier a model is in use; the others stay without."""
    found: dict[str, Floats] = {}
    from policy.plan.stages import tiers_of

    tiers = tiers_of(footing.plan)
    for done, (tier, target) in enumerate(tiers.items()):
        progress("chances", done, len(tiers))
        bundle = _bundle(workspace, tier)
        if bundle is not None:
            found[target] = chances(bundle, footing.ground.panel)
    progress("chances", len(tiers), len(tiers))
    return replace(footing, chances=found)


def with_paths(
    footing: Footing,
    situation: Situation,
    rescored: Callable[[str], Rescore | None],
    progress: Progress,
) -> Footing:
    """Add who has a path to each tier in time, and the chance with the gaps closed.

    Only firms that the definition can raise by it are searched: candidates with a chance and an
    unmet verdict. ``rescored`` gives a tier's model for changed firms, None where there is none.
    """
    from policy.logic import UNMET
    from policy.path.finding import paths
    from policy.path.reach import reach
    from policy.plan.stages import may, tiers_of

    ground, reachable, after = footing.ground, {}, {}
    for tier, target in tiers_of(footing.plan).items():
        status, chance = ground.status(tier), footing.chances.get(target)
        if status is None or chance is None:
            continue
        rows = np.flatnonzero(may(ground, tier) & (chance > 0.0) & (status == UNMET))
        found = reach(
            paths(situation, tier),
            rows.tolist(),
            rescored(tier),
            lambda done, of, tier=tier: progress(f"paths to {tier}", done, of),  # type: ignore[misc]
        )
        reachable[tier], after[tier] = found
    return replace(footing, reachable=reachable, after=after)


def rescorer(workspace: Workspace, panel: Panel, tier: str) -> Rescore | None:
    """The model in use for a tier as it answers paths; None where there is none."""
    from serving.rescoring import Rescorer

    bundle = _bundle(workspace, tier)
    return None if bundle is None else Rescorer(bundle, panel)


def chances(bundle: Bundle, panel: Panel) -> Floats:
    """A chance per firm of the panel; 0 outside the cohort, which the rules let not apply."""
    from model.scoring import score

    found = np.zeros(len(panel.firm_ids))
    try:
        book = score(bundle, panel)
    except NotAvailable:  # nobody to score: nobody can enter
        return found
    found[np.searchsorted(panel.firm_ids, book.firm_ids)] = book.probability
    return found


def _bundle(workspace: Workspace, tier: str) -> Bundle | None:
    from model.bundle import load

    identity = workspace.bundle_in_use(f"promotion:{tier}@{HORIZON}")
    return None if identity is None else load(workspace.bundle_path(identity))
