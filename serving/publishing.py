"""From a history and bundles to what a snapshot stores: the offline half of serving."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from features.facts import LADDER, valid_titles
from features.panel import History, Panel
from model.bundle import Bundle
from model.scoring import ScoreBook, score
from model.shapley import contributions
from model.training import Progress, silent
from model.wording import Feature
from serving.judging import judged
from serving.planned import run_on, stand
from serving.prospects import HORIZON
from serving.publication import Profile, Publication, TaskPart
from serving.rescoring import Rescorer
from serving.shortlist.standing import Search, standing_of
from tidu import __version__

if TYPE_CHECKING:
    from policy.law import Law
    from policy.plan.rows import Plan

__all__ = ["Rules", "firm_frame", "published", "task_part"]


class Rules(NamedTuple):
    """By what a city is judged: the law, and the city's own plan (None: none is run)."""

    law: Law
    plan: Plan | None = None
    paths: int = 0
    """Firms a tier, best chance first, whose path is searched for the stage 培育."""


def published(
    history: History,
    day: date,
    bundles: Sequence[Bundle],
    rules: Rules,
    progress: Progress = silent,
) -> Publication:
    """Score every bundle's cohort at ``day``, judge all firms by the law, run the city's plan."""
    from policy.situation import Situation

    panel = history.as_of(day)
    firms = firm_frame(panel)
    parts: dict[str, TaskPart] = {}
    for i, bundle in enumerate(bundles):
        progress("scoring and reasons", i, len(bundles))
        parts[str(bundle.task.name)] = task_part(score(bundle, panel, rules.law))
    progress("scoring and reasons", len(bundles), len(bundles))
    situation, plan = Situation(rules.law, panel), rules.plan
    found = judged(situation, progress)
    on = stand(situation, plan, _chances(plan, parts, panel)) if plan else None
    run = run_on(on, rules.law, progress) if on else None
    search = Search(rules.paths, _rescored(bundles, panel), progress)
    stands = standing_of(situation, on, run.shortfalls if run else {}, search)
    return Publication(
        as_of=day,
        vault_head=history.head,
        firms=firms,
        tasks=parts,
        profile=_profile(firms["firm_id"].to_numpy(dtype=object), parts),
        judged=found,
        planned=run,
        standing=stands,
        code_version=__version__,
    )


def _rescored(bundles: Sequence[Bundle], panel: Panel) -> Callable[[str], Rescorer | None]:
    """A tier's model among those published, as it answers paths."""
    by_task = {str(bundle.task.name): bundle for bundle in bundles}

    def of(tier: str) -> Rescorer | None:
        bundle = by_task.get(f"promotion:{tier}@{HORIZON}")
        return None if bundle is None else Rescorer(bundle, panel)

    return of


def _chances(plan: Plan, parts: Mapping[str, TaskPart], panel: Panel) -> dict[str, np.ndarray]:
    """Chances of entry by target, of the tasks that are published; 0 outside a cohort."""
    from policy.plan.stages import tiers_of

    found = {}
    for tier, target in tiers_of(plan).items():
        part = parts.get(f"promotion:{tier}@{HORIZON}")
        if part is not None:
            chance = pd.Series(part.scores["probability"].to_numpy(), part.scores["firm_id"])
            found[target] = chance.reindex(panel.firm_ids).fillna(0.0).to_numpy()
    return found


def task_part(book: ScoreBook) -> TaskPart:
    """Scores of one task with exact reasons and positions among peers."""
    bundle = book.bundle
    specs = bundle.profile.specs
    reasons = contributions(bundle.model, book.matrix.values)
    base = float(reasons[0, -1])
    return TaskPart(
        task=str(bundle.task.name),
        bundle_id=bundle.id,
        scores=pd.DataFrame(
            {
                "firm_id": book.firm_ids,
                "score": book.score,
                "rank": book.rank,
                "probability": book.probability,
                "p_low": book.p_low,
                "p_high": book.p_high,
                "stale": book.stale,
            }
        ),
        contributions=reasons,
        values=np.column_stack(
            [s.shown(v) for s, v in zip(specs, book.matrix.values.T, strict=True)]
        ),
        features=tuple(Feature.from_json(s.as_json() | {"unit": s.shown_unit}) for s in specs),
        base_probability=float(bundle.calibration.probability(np.array([base]))[0]),
        base_slope=bundle.calibration.slope(base),
        peers=book.positions,
        facts=_facts(book),
        rank_law=bundle.rank_law,
    )


def firm_frame(panel: Panel) -> pd.DataFrame:
    """All firms known at the date: id, name, district, industry, highest valid tier."""
    firms = panel.firms
    titles = valid_titles(panel)
    rank = titles["tier"].map({tier: i for i, tier in enumerate(LADDER)})
    best = rank.groupby(titles["firm_id"]).max().reindex(panel.firm_ids)
    tier = best.map({float(i): tier for i, tier in enumerate(LADDER)})
    division = firms["industry_gb4754"]
    return pd.DataFrame(
        {
            "firm_id": panel.firm_ids,
            "name": firms["name"].to_numpy(dtype=object),
            "district": firms["district"].to_numpy(dtype=object),
            "industry": division.where(division.notna(), firms["sector"]).to_numpy(dtype=object),
            "tier": tier.to_numpy(dtype=object),
        }
    )


def _facts(book: ScoreBook) -> dict[str, object]:
    bundle = book.bundle
    report = bundle.report
    return {
        "trained_as_of": str(bundle.manifest["as_of"]),
        "vault_head": str(bundle.manifest["vault_head"]),
        "recipe": bundle.manifest["recipe"],
        "task_zh": bundle.task.zh,
        "task_en": bundle.task.en,
        "n": report["n"],
        "positives": report["positives"],
        "cohorts": report["cohorts"],
        "length": report.get("length"),
        "out_of_fold": report["out_of_fold"],
        "editions": report.get("editions", {}),
        "statements": [statement.as_json() for statement in book.statements],
    }


def _profile(firm_ids: np.ndarray, parts: dict[str, TaskPart]) -> Profile | None:
    """One growth profile a firm: the features of all tasks, each once."""
    if not parts:
        return None
    place = pd.Index(firm_ids)
    features: dict[str, Feature] = {}
    columns: dict[str, np.ndarray] = {}
    peers: dict[str, np.ndarray] = {}
    for part in parts.values():
        rows = place.get_indexer(part.scores["firm_id"])
        for j, feature in enumerate(part.features):
            if feature.name not in features:
                features[feature.name] = feature
                columns[feature.name] = np.full(len(firm_ids), np.nan)
                peers[feature.name] = np.full(len(firm_ids), np.nan)
            columns[feature.name][rows] = part.values[:, j]
            if part.peers is not None:
                peers[feature.name][rows] = part.peers[:, j]
    return Profile(
        tuple(features.values()),
        np.column_stack(list(columns.values())),
        np.column_stack(list(peers.values())),
    )
