"""Worlds between two snapshots, worked out for real: old data scored by the new model, and so on.

A world takes its data (records and day), its model (the bundles) and its rule (the law's files,
and which edition is in force) each from one of the two snapshots. The two snapshots themselves are
read as they are stored; every other world is laid out from the vault, the bundles and the law that
the snapshots name, by the functions that publish. What is alike on both sides is no factor: worlds
that differ in it alone are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from serving.judging import verdict_name
from serving.prospects import HORIZON
from serving.rank_history import changed
from serving.shortlist.candidates import tier_of
from serving.views import Rungs, Scores, Standing, Verdicts
from tidu.errors import NotAvailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.bundle import Bundle
    from model.scoring import ScoreBook
    from policy.law import Law
    from policy.plan.rows import Plan
    from policy.situation import Situation
    from serving.casework import Casework
    from serving.snapshot import Snapshot, Task

__all__ = ["Needs", "Worlds", "in_force_on"]

STAGES = ("upgrade", "cultivate", "reserve")


@dataclass(frozen=True, slots=True)
class Needs:
    """What of a world is asked for: scores always, places on the ladder, stages of the plan."""

    task: str
    ladder: bool = False
    stages: bool = False


Key = tuple[bool, bool, bool]
"""Data, model, rule: is it the later snapshot's?"""


@dataclass
class Worlds:
    """The snapshots of all worlds between ``before`` and ``after``; each is made once.

    ``plan`` gives the plan that a snapshot was published with.
    """

    before: Snapshot
    after: Snapshot
    needs: Needs
    casework: Casework
    plan: Callable[[Snapshot], Plan | None]
    differing: frozenset[str] = field(init=False)
    _made: dict[Key, Snapshot] = field(init=False, default_factory=dict)
    _books: dict[Key, ScoreBook] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.differing = frozenset(self._differing())
        self._made[self._key(False, False, False)] = self.before
        self._made[self._key(True, True, True)] = self.after

    def snapshot(self, data: bool, model: bool, rule: bool) -> Snapshot:
        """The world as a snapshot holds it, as far as it is needed; not to be stored.

        A bundle, law or vault head that is gone is an error: nothing is guessed.
        """
        key = self._key(data, model, rule)
        if key not in self._made:
            self._made[key] = self._laid_out(key)
        return self._made[key]

    def book(self, data: bool, model: bool, rule: bool) -> ScoreBook:
        """The cohort of the task scored in a world."""
        key = self._key(data, model, rule)
        if key not in self._books:
            from model.scoring import score

            panel = self.casework.panel(self._side(key[0]))
            bundle = self.bundle(key[1])
            self._books[key] = score(bundle, panel, self._law(key))
        return self._books[key]

    def bundle(self, model: bool, task: str = "") -> Bundle:
        """The bundle of a side, of the task asked about or of another."""
        name = task or self.needs.task
        side = self._side(model)
        if name not in side.tasks:
            raise NotAvailable(f"Snapshot {side.id} must hold {name}, found no such task.")
        return self.casework.bundle(side.tasks[name].bundle_id)

    # ---- which world

    def _differing(self) -> list[str]:
        found = changed(self.before, self.after, self.needs.task)
        if not self.needs.stages or "model" in found:
            return found
        name = f"promotion:{tier_of(self.needs.task)}@{HORIZON}"
        bundles = [s.tasks[name].bundle_id if name in s.tasks else "" for s in self._both()]
        return [*found, "model"] if bundles[0] != bundles[1] else found

    def _both(self) -> tuple[Snapshot, Snapshot]:
        return self.before, self.after

    def _key(self, data: bool, model: bool, rule: bool) -> Key:
        """The same key for worlds that differ only in what both sides have alike."""
        return (
            data and "data" in self.differing,
            model and "model" in self.differing,
            rule and "rule" in self.differing,
        )

    def _side(self, later: bool) -> Snapshot:
        return self.after if later else self.before

    def _law(self, key: Key) -> Law:
        """The rule's law; with the other side's data, the editions in force stay the rule's own."""
        if "rule" not in self.differing or key[0] == key[2]:
            return self.casework.law(self._side(key[0]))
        side = self._side(key[2])
        return in_force_on(self.casework.law(side), date.fromisoformat(side.as_of))

    # ---- laying it out

    def _laid_out(self, key: Key) -> Snapshot:
        base = self._side(key[0])
        for side in (base, self._side(key[2])):
            if not side.law:
                raise NotAvailable(
                    f"The law must be a part of the snapshot, found none in {side.id}.",
                    "It was published by an earlier version of Tidu.",
                )
        task = _task(base, self.needs.task, self.book(*key))
        made = replace(base, tasks={**base.tasks, task.name: task})
        return self._on_the_ladder(made, key) if self.needs.ladder else made

    def _on_the_ladder(self, made: Snapshot, key: Key) -> Snapshot:
        from policy.situation import Situation
        from serving.shortlist.standing import standing_of
        from tidu.errors import NotFound

        panel, law = self.casework.panel(self._side(key[0])), self._law(key)
        situation, tier = Situation(law, panel), tier_of(self.needs.task)
        footing, lacking, search = self._footing(situation, key)
        found = standing_of(situation, footing, lacking, search)
        verdicts = dict(made.verdicts)
        try:
            status = situation.verdict(tier).status
        except NotFound:  # no edition in force
            verdicts.pop(verdict_name(tier, "new"), None)
        else:
            verdicts[verdict_name(tier, "new")] = _verdicts(status)
        rungs = {name: _rungs(rung) for name, rung in found.rungs.items()}
        return replace(made, standing=_standing(found), rungs=rungs, verdicts=verdicts)

    def _footing(self, situation: Situation, key: Key) -> Any:
        """What stages rest on: the plan, the chances of the tier, what its target still lacks."""
        from policy.plan.stages import tiers_of
        from policy.plan.targets import target
        from serving.planned import stand
        from serving.shortlist.standing import Search

        plan = self.plan(self._side(key[2])) if self.needs.stages else None
        tier = tier_of(self.needs.task)
        row = None if plan is None else tiers_of(plan).get(tier)
        if plan is None or row is None:
            return None, {}, Search()
        book = self._promotion(situation, key)
        chance = np.zeros(len(situation.panel.firm_ids))
        chance[np.searchsorted(situation.panel.firm_ids, book.firm_ids)] = book.probability
        on = stand(situation, plan, {row: chance})
        lacking = {row: target(on.plan.row(row), on.silent()).remaining}
        return on, lacking, self._search(key, book.bundle, situation)

    def _promotion(self, situation: Situation, key: Key) -> ScoreBook:
        from model.scoring import score

        name = f"promotion:{tier_of(self.needs.task)}@{HORIZON}"
        if name == self.needs.task:
            return self.book(*key)
        return score(self.bundle(key[1], name), situation.panel, situation.law)

    def _search(self, key: Key, bundle: Bundle, situation: Situation) -> Any:
        """As many paths as were searched when the data's snapshot was published."""
        from serving.rescoring import Rescorer
        from serving.shortlist.standing import Search

        tier = tier_of(self.needs.task)
        line = self._side(key[0]).rungs[tier].about["line"] or {"searched": 0}
        rescorer = Rescorer(bundle, situation.panel)
        return Search(line["searched"], lambda name: rescorer if name == tier else None)


def in_force_on(law: Law, day: date) -> Law:
    """The law whose editions in force on ``day`` are in force on every day.

    So records of one day can be judged by the editions of another, each with the fiscal year of
    its own batch.
    """
    uses = [replace(use, start=date.min, end=None) for use in law.uses if use.covers(day)]
    return replace(law, uses=tuple(uses))


# ---- parts as a snapshot holds them


def _task(base: Snapshot, name: str, book: ScoreBook) -> Task:
    order = np.argsort(book.rank, kind="stable")
    number = np.searchsorted(np.array(base.firms.ids, dtype=object), book.firm_ids[order])
    columns: Mapping[str, Any] = {
        "firm": number.astype(np.int32),
        **{c: getattr(book, c)[order] for c in ("score", "probability", "p_low", "p_high")},
        "stale": book.stale[order].astype(np.uint8),
    }
    scores = Scores(pa.table({c: pa.array(values) for c, values in columns.items()}))
    rows = scores.rows_of_firms(len(base.firms))
    return replace(base.tasks[name], bundle_id=book.bundle.id, scores=scores, row_of=rows)


def _verdicts(status: Any) -> Verdicts:
    lines = pa.FixedSizeListArray.from_arrays(pa.array(status), 1)
    table = pa.table({"status": pa.array(status), "lines": lines, "points": pa.nulls(len(status))})
    return Verdicts(table.replace_schema_metadata({"sheet": b"{}"}))


def _standing(found: Any) -> Standing:
    texts = {name: list(getattr(found, name)) for name in ("size", "group", "niche")}
    arrays = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    return Standing(pa.table({n: column.dictionary_encode() for n, column in arrays.items()}))


def _rungs(rung: Any) -> Rungs:
    from tidu.digest import canonical_json

    names = ("outside", "applied", "stage", "open")
    table = pa.table({name: pa.array(getattr(rung, name)) for name in names})
    return Rungs(table.replace_schema_metadata({"about": canonical_json(dict(rung.about))}))
