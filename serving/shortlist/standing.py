"""What a snapshot stores of each firm for shortlists: size, group, niche, places on the ladder.

Per tier: why the firm is outside the cohort, its stage (提升, 培育, 储备), and whether it has
applied in the batch of the day. What nobody can say is unknown, and the list says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.applications import Round, applied
from features.facts import LADDER, valid_titles
from serving.shortlist.codes import INSIDE, NO, OUTSIDE, UNKNOWN, YES
from tidu.errors import NotFound, Refused

if TYPE_CHECKING:
    import pandas as pd

    from features.panel import Panel
    from policy.law import Batch
    from policy.path.finding import Rescore
    from policy.plan.footing import Footing
    from policy.plan.stages import Candidates
    from policy.situation import Situation

__all__ = ["Rung", "Search", "Standing", "standing_of"]


Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Rung:
    """One tier, an entry a firm: ``outside`` indexes the reasons (0: may be asked about).

    ``applied`` is 1, 0 or −1 unknown; ``stage`` a code of the plan's stages or −1; ``open`` marks
    firms whose path nobody has searched, which might be 培育. ``about``: batch, line, counts.
    """

    outside: Codes
    applied: Codes
    stage: Codes
    open: Codes
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """``size``, ``group`` and ``niche`` are None where they are not on record."""

    size: Texts
    group: Texts
    niche: Texts
    rungs: Mapping[str, Rung] = field(default_factory=dict)

    def refuse_unless_of(self, firms: int) -> None:
        """Refuse what does not hold one entry for each of so many firms."""
        columns: list[NDArray[Any]] = [self.size, self.group, self.niche]
        for rung in self.rungs.values():
            columns += [rung.outside, rung.applied, rung.stage, rung.open]
        if {len(column) for column in columns} != {firms}:
            raise Refused(
                f"What shortlists rest on must have {firms} rows, found others.",
                "Lay it out from the same panel that is published.",
            )


@dataclass(frozen=True)
class Search:
    """How many firms a tier, best chance first, are searched for a path (培育), and by whose model.

    A search takes a tenth of a second and more: a publication of a whole city cannot search all.
    """

    most: int = 0
    rescored: Callable[[str], Rescore | None] = lambda _: None
    progress: Callable[[str, int, int], None] = lambda *_: None


def standing_of(
    situation: Situation,
    footing: Footing | None,
    shortfalls: Mapping[str, float | None],
    search: Search,
) -> Standing:
    """Lay out all firms of a situation; ``shortfalls`` are what the plan's targets still lack."""
    panel = situation.panel
    firms = panel.firms.reindex(panel.firm_ids)
    size = _sizes(situation)
    rungs = {}
    for tier in LADDER:
        outside, (in_batch, about) = _outside(panel, tier, size), _applied(situation, tier)
        stage, open_, line = _stages(situation, footing, tier, shortfalls, search)
        rungs[tier] = Rung(outside, in_batch, stage, open_, {**about, **line})
    return Standing(size, _texts(firms["control_group_id"]), _texts(firms["niche_name"]), rungs)


def _texts(column: pd.Series) -> Texts:
    return column.astype(object).where(column.notna().to_numpy(), None).to_numpy(dtype=object)


def _sizes(situation: Situation) -> Texts:
    """The size class where what is known leaves one; by the last complete fiscal year."""
    from policy.sizes import CLASSES

    columns = situation.values(situation.day.year - 1).inputs.columns
    low, high = columns["size_low()"], columns["size_high()"]
    found = np.full(len(low), None, dtype=object)
    sure = low == high
    found[sure] = np.array(CLASSES, dtype=object)[low[sure].astype(int)]
    return found


def _outside(panel: Panel, tier: str, size: Texts) -> Codes:
    """The first reason that keeps a firm from rising to a tier; 0 where none is known."""
    from model.tasks import rules

    ids, titles, events = panel.firm_ids, valid_titles(panel), panel.tables["events"]
    rule: Any = rules()["promotion"]
    higher = LADDER[LADDER.index(tier) + 1 :]
    below = rule["from"].get(tier, "")
    own = panel.tables["titles"]
    barred = own[(own["ban_until"] >= np.datetime64(panel.as_of)).to_numpy()]
    nobody = np.zeros(len(ids), dtype=bool)
    held = {name: _among(ids, titles[(titles["tier"] == name).to_numpy()]) for name in LADDER}
    reasons = {
        "gone": _among(ids, events[events["kind"].isin(rule["gone"]).to_numpy()]),
        "moved_out": panel.firms["city_out_on"].reindex(ids).notna().to_numpy(),
        "holds_title": held[tier],
        "holds_higher": np.logical_or.reduce([nobody, *(held[name] for name in higher)]),
        "banned": _among(ids, barred),
        "no_lower_title": ~held[below] if below in held else nobody,
        "not_sme": size == "large",
    }  # fmt: skip
    codes = [OUTSIDE.index(name) for name in reasons]
    return np.select(list(reasons.values()), codes, default=INSIDE).astype(np.int8)


def _among(ids: Texts, rows: pd.DataFrame) -> NDArray[np.bool_]:
    import pandas as pd

    return np.asarray(pd.Index(ids).isin(rows["firm_id"].to_numpy(dtype=object)))


# --------------------------------------------------------------------------------------- batch


def _applied(situation: Situation, tier: str) -> tuple[Codes, dict[str, Any]]:
    """Who has applied for the title in the batch of the day, and how the batch stands."""
    panel, n = situation.panel, len(situation.panel.firm_ids)
    try:
        batch = situation.batch(tier)
    except NotFound:  # no edition in force: there is no batch
        return np.full(n, UNKNOWN, dtype=np.int8), {"batch": None}
    first = batch.opens_on or date(batch.year, 1, 1)
    last = batch.closes_on or date(batch.year, 12, 31)
    asked = Round(tier, batch.id, first, last)
    found = applied(panel, panel.firm_ids, asked)
    code = np.where(np.isnan(found), UNKNOWN, np.where(found == 1, YES, NO)).astype(np.int8)
    return code, {"batch": _described(batch, panel.as_of, asked.covered(panel))}


def _described(batch: Batch, day: date, known: bool) -> dict[str, Any]:
    state = "undeclared"
    if batch.opens_on and day < batch.opens_on:
        state = "not_yet"
    elif batch.closes_on and day > batch.closes_on:
        state = "closed"
    elif batch.opens_on:
        state = "open"
    dates = {"opens_on": batch.opens_on, "closes_on": batch.closes_on,
             "district_deadline": batch.district_deadline}  # fmt: skip
    shown = {name: None if on is None else on.isoformat() for name, on in dates.items()}
    return {"id": batch.id, "state": state, **shown, "quota": batch.quota, "covered": known}


# -------------------------------------------------------------------------------------- stages


def _stages(
    situation: Situation,
    footing: Footing | None,
    tier: str,
    shortfalls: Mapping[str, float | None],
    search: Search,
) -> tuple[Codes, Codes, dict[str, Any]]:
    """Stage, whether the path is open, and the line; unknown without a plan or its chances."""
    from policy.plan.stages import UPGRADE, Candidates, assigned, may, tiers_of

    n = len(situation.panel.firm_ids)
    nothing = np.full(n, UNKNOWN, dtype=np.int8), np.zeros(n, dtype=np.int8)
    target = tiers_of(footing.plan).get(tier, "") if footing is not None else ""
    if footing is None or footing.definition is None or target not in footing.chances:
        return *nothing, {"line": None}
    status = footing.ground.status(tier)
    shortfall = shortfalls.get(target)
    if status is None or shortfall is None:
        return *nothing, {"line": None}
    unknown = np.full(n, np.nan)
    candidates = Candidates(
        footing.ground.panel.firm_ids,
        may(footing.ground, tier),
        status,
        footing.chances[target],
        unknown,
        unknown,
        footing.ground.number(_growth(footing)),
    )
    candidates = _searched(situation, tier, candidates, search)
    stage, at = assigned(candidates, shortfall, footing.definition)
    asked = candidates.may & (candidates.chance > 0.0)
    open_ = asked & (stage != UPGRADE) & np.isnan(candidates.reachable) & _unmet(candidates)
    line = {
        "number": at.number,
        "chance": float(at.chance) if np.isfinite(at.chance) else None,
        "shortfall": float(shortfall),
        "searched": int((asked & ~np.isnan(candidates.reachable)).sum()),
        "unsearched": int(open_.sum()),
    }
    return stage, open_.astype(np.int8), {"line": line}


def _growth(footing: Footing) -> str:
    rows = (r for r in footing.plan.rows if r.kind == "pool" and r.form == "stages")
    return str(next(rows).detail["growth"])


def _unmet(candidates: Candidates) -> NDArray[np.bool_]:
    from policy.logic import UNMET

    return np.asarray(candidates.status == UNMET)


def _searched(
    situation: Situation, tier: str, candidates: Candidates, search: Search
) -> Candidates:
    """Search the paths of the first firms by chance whose verdict is unmet."""
    chance = candidates.chance
    rows = np.flatnonzero(candidates.may & (chance > 0.0) & _unmet(candidates))
    rows = np.sort(rows[np.argsort(-chance[rows], kind="stable")][: search.most])
    if not len(rows):
        return candidates
    from policy.path.finding import paths
    from policy.path.reach import reach
    from policy.situation import Situation

    panel = situation.panel.of([str(firm) for firm in candidates.firm_ids[rows]])
    found = reach(
        paths(Situation(situation.law, panel), tier),
        None,
        search.rescored(tier),
        lambda done, of: search.progress(f"paths to {tier}", done, of),
    )
    reachable, after = candidates.reachable.copy(), candidates.after.copy()
    reachable[rows] = found.reachable
    # Where time alone leads there, no figure changes: the chance stays what it is.
    after[rows] = np.where(np.isnan(found.after), chance[rows], found.after)
    return replace(candidates, reachable=reachable, after=after)
