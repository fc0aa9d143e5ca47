"""A shortlist made from a snapshot: the choice, its rows, its counts, what a reader must know."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.access import Viewer
from serving.judging import verdict_name
from serving.lookups import Served, standing_at
from serving.shortlist.candidates import candidates_of, purpose_of, tier_of
from serving.shortlist.choice import Candidates, Choice, choose
from serving.shortlist.codes import OUTSIDE, STAGES, WHY_OUTSIDE
from serving.shortlist.conflicts import CRITERION, Kin, conflicts
from serving.shortlist.decisions import grounds_of
from serving.shortlist.question import MODES, Question
from serving.shortlist.rows import factors_of, measures_in_short, reasons, verdict_in_short
from serving.shortlist.words import notes_of
from serving.snapshot import Snapshot, Task
from tidu.errors import UsageError

if TYPE_CHECKING:
    from serving.casework import Casework

__all__ = ["shortlist"]

HORIZON = 12


def shortlist(
    served: Served, viewer: Viewer, question: Question, casework: Casework | None = None
) -> dict[str, Any]:
    """Make a list: plain JSON, the same for the same snapshot, viewer and question.

    Without ``casework`` the papers of its firms are unknown (null).
    """
    snapshot, task = served.snapshot, served.task(question.task)
    candidates = candidates_of(served, viewer, question)
    choice = choose(candidates, question)
    _refuse_turned(choice)
    items = _rows(served, viewer, (question, candidates, choice), casework)
    rung = snapshot.rungs.get(tier_of(question.task))
    about: Mapping[str, Any] = {} if rung is None else rung.about
    counts = {
        "cohort": int((candidates.outside == 0).sum()),
        "eligible": choice.eligible,
        "unknown": choice.unknown,
        "listed": len(items),
        "short": choice.short,
    }
    facts = task.facts
    return {
        **served.envelope(task.bundle_id),
        "task": task.name,
        "task_zh": str(facts.get("task_zh", "")),
        "task_en": str(facts.get("task_en", "")),
        "tier": tier_of(question.task),
        "question": question.as_json(),
        "mode_zh": MODES.get(question.mode, ""),
        "edition": _edition(snapshot, question.task),
        "batch": about.get("batch"),
        "line": about.get("line"),
        "counts": counts,
        "districts": _districts(candidates, choice),
        "statements": list(facts.get("statements", [])),
        "notes": notes_of(
            question, counts, about, papers=casework is not None, law=task.scores.rank_law
        ),
        "items": items,
    }


def _refuse_turned(choice: Choice) -> None:
    if not choice.turned:
        return
    told = [
        {"firm_id": one.firm_id, "reason": one.reason, "zh": WHY_OUTSIDE[one.reason][0],
         "en": WHY_OUTSIDE[one.reason][1]} for one in choice.turned
    ]  # fmt: skip
    named = "; ".join(f"{one['firm_id']}: {one['en']} ({one['zh']})" for one in told[:5])
    raise UsageError(
        f"Firms that must be in must be inside the cohort, found {len(told)} outside: {named}.",
        "Leave them out of include.",
        {"turned": told},
    )


def _edition(snapshot: Snapshot, task: str) -> dict[str, Any] | None:
    verdicts = snapshot.verdicts.get(verdict_name(tier_of(task), purpose_of(task)))
    if verdicts is None:
        return None
    names = ("edition", "edition_zh", "edition_en", "document", "batch", "data_year")
    return {name: verdicts.sheet.head[name] for name in names}


def _districts(candidates: Candidates, choice: Choice) -> list[dict[str, Any]]:
    """Who passes, who is listed and of whom nobody can say, by district; "" is not on record."""
    name = [d or "" for d in candidates.district]
    places = {
        "eligible": np.flatnonzero(choice.passing),
        "listed": choice.places,
        "unknown": np.flatnonzero(choice.open),
    }
    counts = {what: Counter(name[n] for n in found.tolist()) for what, found in places.items()}
    return [
        {"district": d, **{what: each[d] for what, each in counts.items()}}
        for d in sorted({d for each in counts.values() for d in each})
    ]


# ---------------------------------------------------------------------------------------- rows


def _rows(
    served: Served,
    viewer: Viewer,
    chosen: tuple[Question, Candidates, Choice],
    casework: Casework | None,
) -> list[dict[str, Any]]:
    question, candidates, choice = chosen
    snapshot, task = served.snapshot, served.task(question.task)
    tier, purpose = tier_of(question.task), purpose_of(question.task)
    numbers = choice.places.tolist()
    verdicts = snapshot.verdicts.get(verdict_name(tier, purpose))
    figures = None if verdicts is None else snapshot.figures[verdicts.sheet.head["data_year"]]
    exclusions = exclusions_of(snapshot.law)
    lacking = _papers(snapshot, casework, [snapshot.firms.ids[n] for n in numbers], question.task)
    found_conflicts = _conflicts(snapshot, tier, numbers, _rule(verdicts))
    confidence = _confidence(task, choice)
    apply, recognised = (
        snapshot.tasks.get(f"{kind}:{tier}@{HORIZON}") for kind in ("application", "recognition")
    )
    rows = []
    for place, number in enumerate(numbers, 1):
        firm = snapshot.firms.ids[number]
        row = {
            "place": place,
            **snapshot.firms.brief(number),
            "size": candidates.size[number],
            **standing_at(task, int(task.row_of[number])),
            **factors_of(apply, recognised, number),
            **confidence[place - 1],
            "included": bool(choice.included[place - 1]),
            "stage": _stage(snapshot, tier, number),
            "verdict": None,
            "papers": None if lacking is None else lacking.get(firm),
            "reasons": reasons(served, viewer, firm, question.task),
            "measures": measures_in_short(served, viewer, firm, tier),
            "conflicts": found_conflicts[place - 1],
            "statements": list(task.facts.get("statements", [])),
        }
        if verdicts is not None and figures is not None:
            row["verdict"] = verdict_in_short(verdicts, figures, number, exclusions)
        rows.append(row | {"grounds": _citable(row)})
    return rows


def _citable(row: Mapping[str, Any]) -> dict[str, list[str]]:
    """The codes that a decision on this firm may cite; their words stand in the row."""
    grounds = grounds_of(row).values()
    return {use: [g["code"] for g in grounds if use in g["for"]] for use in ("refuse", "return")}


def _stage(snapshot: Snapshot, tier: str, number: int) -> str | None:
    rung = snapshot.rungs.get(tier)
    code = -1 if rung is None else int(rung.stage[number])
    return STAGES[code] if code >= 0 else None


def exclusions_of(law: Mapping[str, bytes]) -> frozenset[str]:
    """The ids of the entry conditions that tiers share, by the files of the law that judged."""
    found = {CRITERION}
    for name, content in law.items():
        if name.startswith("exclusions"):
            groups = tomllib.loads(content.decode()).get("groups", {})
            found |= {c["id"] for group in groups.values() for c in group.get("criteria", [])}
    return frozenset(found)


def _papers(
    snapshot: Snapshot, casework: Casework | None, firms: Sequence[str], task: str
) -> dict[str, dict[str, Any]] | None:
    tier, purpose = tier_of(task), purpose_of(task)
    if casework is None or not firms or verdict_name(tier, purpose) not in snapshot.verdicts:
        return None
    return casework.lacking(snapshot, firms, (tier, purpose))  # type: ignore[arg-type]


def _rule(verdicts: Any) -> dict[str, Any] | None:
    """What the edition says of groups: its clause and document, None where it says nothing."""
    if verdicts is None:
        return None
    words = (entry.words for entry in verdicts.sheet.entries)
    return next((w for w in words if w["id"] == CRITERION), None)


def _conflicts(
    snapshot: Snapshot, tier: str, numbers: Sequence[int], rule: Mapping[str, Any] | None
) -> list[list[dict[str, Any]]]:
    held, rung = snapshot.standing, snapshot.rungs.get(tier)
    if held is None:
        return [[] for _ in numbers]
    holds = np.zeros(len(snapshot.firms), dtype=bool)
    if rung is not None:
        holds = rung.outside == OUTSIDE.index("holds_title")
    industry = snapshot.firms.categories["industry"].codes
    kin = Kin(held.group.codes, held.niche.codes, industry, holds)
    return conflicts(kin, numbers, dict(enumerate(snapshot.firms.ids)), rule)


def _confidence(task: Task, choice: Choice) -> list[dict[str, Any]]:
    """The chance of belonging in the first K and the place's 90 % interval, outcomes drawn anew.

    Both are among the firms that pass the question; null where the bundle has no law of ranks.
    """
    law = task.scores.rank_law
    unknown = {"p_top": None, "place_low": None, "place_high": None}
    if law is None or not len(choice.places):
        return [dict(unknown) for _ in choice.places]
    pool = np.union1d(np.flatnonzero(choice.passing), choice.places)
    ranks, of = task.row_of[pool] + 1, len(task.scores)
    low, high = law.interval(ranks, of)
    top = law.top(len(choice.places), ranks, of)
    at = np.searchsorted(pool, choice.places)
    return [
        {"p_top": float(top[i]), "place_low": int(low[i]), "place_high": int(high[i])} for i in at
    ]
