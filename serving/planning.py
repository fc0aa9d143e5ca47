"""The city's plan as answers: targets, measures of a firm, scenarios; for command line and HTTP.

All is plain JSON: what is missing is null, dates are ISO, texts stand in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.plain import cells, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from policy.law import Law
    from policy.plan.footing import Footing
    from policy.plan.result import Note
    from policy.plan.rows import Row
    from policy.plan.scenario_outcome import Outcome
    from policy.plan.scenario_start import Start
    from policy.plan.simulation import Effect, Side
    from policy.plan.targets import Target
    from policy.situation import Situation

__all__ = [
    "difference",
    "editions",
    "measures",
    "named",
    "offer",
    "parameters",
    "simulated",
    "start_of",
    "targets",
]

EXITS = ("expired", "revoked", "moved_out", "gone")


# ------------------------------------------------------------------------------------- targets


def targets(footing: Footing) -> list[dict[str, Any]]:
    """Every target of the plan: city figures, districts with their tasks, forecast, deadline."""
    from policy.plan.targets import target

    rows = [row for row in footing.plan.rows if row.kind == "target"]
    return [_target(row, target(row, footing)) for row in rows]


def _target(row: Row, found: Target) -> dict[str, Any]:
    table = [cells(record) for record in found.table.to_dict("records")]
    city, districts = table[0], [line for line in table if line["level"] == "district"]
    return {
        "row": row.id,
        "form": row.form,
        "zh": row.zh,
        "en": row.en,
        "quote": row.quote,
        "unit_zh": found.unit[0],
        "unit_en": found.unit[1],
        "at_most": found.at_most,
        **{k: plain(found.totals.get(k)) for k in ("goal", "value", "completion_pct", "remaining")},
        "exits": _exits(city),
        "figures": {k: v for k, v in city.items() if k not in ("level", "district", "task")},
        "day": found.day.isoformat(),
        "deadline": found.deadline.isoformat(),
        "past": found.past,
        "task_sum": plain(found.totals["task_sum"]),
        "forecast": _forecast(found),
        "districts": [{"exits": _exits(line)} | _without(line, "level") for line in districts],
        "notes": [_note(note) for note in found.notes],
        "parameters": {k: plain(v) for k, v in found.parameters.items()},
    }


def _exits(figures: Mapping[str, Any]) -> float | None:
    known = [figures.get(name) for name in EXITS]
    return None if any(v is None for v in known) else float(sum(v for v in known if v is not None))


def _forecast(found: Target) -> dict[str, Any] | None:
    one = found.forecast
    if one is None:
        return None
    return {
        "mean": one.mean,
        "low": one.low,
        "high": one.high,
        "chance_of_goal": plain(one.chance),
        "firms_unknown": one.unknown,
    }


def named(footing: Footing, row: str, figure: str, district: str | None) -> list[dict[str, Any]]:
    """The firms (or activities' districts) behind a figure of a target."""
    from policy.plan.targets import names, target
    from tidu.errors import UsageError

    found = target(footing.plan.row(row), footing.silent())
    assert found.measured is not None
    behind = found.measured.behind
    if figure not in behind:
        raise UsageError(
            f"A figure of {row} must be one of {', '.join(behind)}, found {figure!r}.",
            "Write --figure value.",
        )
    known = footing.ground.panel.firms["name"]
    return [
        {"firm_id": name, "name": plain(known.get(name))} for name in names(found, figure, district)
    ]


# ------------------------------------------------------------------------------------ measures


def measures(footing: Footing, firm: int, tier: str | None = None) -> list[dict[str, Any]]:
    """The supports that fit a firm (by its place), those first that speak to what blocks it."""
    from policy.plan.fitting import fitting

    plan, ground = footing.plan, footing.ground
    items = []
    for record in fitting(plan.by_id, ground, tier, np.array([firm])).to_dict("records"):
        line = cells(record)
        closes = [name for name in line["closes"].split(";") if name]
        shown = {k: line[k] for k in FITS}
        items.append(shown | offer(plan.row(line["row"])) | {"closes": closes})
    return items


FITS = ("place", "row", "tier", "status", "blocks", "opens", "deadline")
"""What is told of a support that fits a firm, beside its own words."""


def offer(row: Row) -> dict[str, Any]:
    """What a support offers, in words."""
    from policy.plan.ground import support

    detail = support(row) or {}
    words = {"row": row.id, "kind": row.kind, "zh": row.zh, "en": row.en, "quote": row.quote}
    return words | {k: detail.get(k, "") for k in _OFFER}


_OFFER = ("benefit_zh", "benefit_en", "channel_zh", "channel_en", "note_zh", "note_en")


# ----------------------------------------------------------------------------------- scenarios


def start_of(situation: Situation, footing: Footing) -> Start:
    """Where scenarios start; within a quota without a score the chance ranks the firms."""
    from policy.plan.scenario_start import Start
    from policy.plan.stages import tiers_of

    order = {
        tier: footing.chances[row]
        for tier, row in tiers_of(footing.plan).items()
        if row in footing.chances
    }
    return Start(situation, footing, order)


def simulated(found: Outcome, start: Start) -> dict[str, Any]:
    """A scenario's consequences: tiers with names, budget by year and payer, targets, notes."""
    scenario = found.scenario
    return {
        "scenario": {k: plain(v) for k, v in vars(scenario).items()},
        "tiers": [_effect(effect, start) for effect in found.effects],
        "budget": [cells(record) for record in found.budget.to_dict("records")],
        "rewards": [cells(record) for record in found.rewards.to_dict("records")],
        "targets": [cells(record) for record in found.positions.to_dict("records")],
        "notes": [_note(note) for note in found.notes],
    }


def _effect(effect: Effect, start: Start) -> dict[str, Any]:
    from policy.plan.simulation import effects

    counted = effects(effect, start.groupings)
    whole = counted.iloc[0]
    parts = [cells(record) for record in counted.iloc[1:].to_dict("records")]
    return {
        "tier": effect.tier,
        "before": _side(effect.before, start),
        "after": _side(effect.after, start),
        **{k: int(whole[k]) for k in ("enters", "leaves", "net")},
        "by": parts,
        "entering": _firms(effect.enters, start),
        "leaving": _firms(effect.leaves, start),
    }


def _side(side: Side, start: Start) -> dict[str, Any]:
    from policy.logic import MET, MET_PENDING

    edition, status = side.verdict.edition, side.verdict.status
    return {
        "edition": edition.id,
        "document": start.law.documents[edition.document].number,
        "quota": side.quota,
        "met": int((status == MET).sum()),
        "met_pending": int((status == MET_PENDING).sum()),
        "admitted": int(side.admitted.sum()),
        "new": int((side.admitted & start.candidates(edition.tier)).sum()),
        "tied": side.tied,
    }


def _firms(rows: NDArray[np.bool_], start: Start) -> list[str]:
    return [str(name) for name in start.panel.firm_ids[rows]]


# ----------------------------------------------------------------------------------------- law


def difference(law: Law, pair: tuple[str, str], situation: Situation | None) -> dict[str, Any]:
    """What changes from one edition to the other: clauses, and the firms of a situation."""
    from policy.plan.comparison import clauses, firms
    from policy.plan.scenario_start import groupings
    from policy.verdict import judge

    one, two = (law.edition(name) for name in pair)
    judged = None
    if situation is not None:
        values = situation.values(situation.day.year - 1)
        panel, sides = situation.panel, [judge(edition, values) for edition in (one, two)]
        judged = firms(sides[0], sides[1], panel.firm_ids, groupings(panel, values))
    return {"a": pair[0], "b": pair[1], "clauses": clauses(one, two), "firms": judged}


def editions(law: Law) -> list[dict[str, Any]]:
    """Which edition judges a tier from when to when, by which document."""
    return [
        {
            "tier": use.tier,
            "purpose": use.purpose,
            "from": use.start.isoformat(),
            "to": use.end.isoformat() if use.end else None,
            "edition": use.edition,
            "document": law.documents[law.editions[use.edition].document].number,
            "confidence": use.confidence,
        }
        for use in law.uses
    ]


def parameters(law: Law) -> list[dict[str, Any]]:
    """What the texts leave open: value, unit, confidence, source, and who has set it."""
    fields = ("id", "zh", "en", "value", "unit", "options", "confidence", "source", "set_by")
    return [{f: plain(getattr(p, f)) for f in fields} for p in law.parameters.values()]


def _without(line: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in line.items() if k != name}


def _note(note: Note) -> dict[str, str]:
    return {"zh": note.zh, "en": note.en}
