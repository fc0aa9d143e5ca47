"""The path of a firm to a tier: what must really change, by when, and in which batch it can apply.

Of all changes within the horizon that make every decidable criterion met, the one with the fewest
fields, then the least total in units of a year's attainable change, then the earliest batch. Every
answer has been judged anew by the verdict and checked for forbidden moves; ``rescore`` may add the
model's answer. Closed years never change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel
from policy.conditions import Leaf, walk
from policy.inputs import of_panel
from policy.law import Law
from policy.logic import MANUAL, NAMES, UNKNOWN, UNMET
from policy.path.attempt import Attempt, passes
from policy.path.changes import Changes, Text
from policy.path.changes_reading import changes_of
from policy.path.result import Change, Open, Path, worded
from policy.path.timing import Ahead, ahead, ends_on, inputs_of, needed, watch
from policy.rules import Criterion, Purpose
from policy.situation import Situation
from policy.values import Inputs
from policy.verdict import Verdict
from tidu.clock import add_months
from tidu.errors import NotFound

__all__ = ["Paths", "Rescore", "paths"]

Floats = NDArray[np.float64]
Rescore = Callable[[Path], tuple[float, float]]
"""The model's answer before and after a path's changes; it reads their figures."""

UNMOVED = "unmoved"
"""The assumption about metrics for which no exact condition is known."""

PATIENCE = 12
"""Years ahead in which it is looked whether time alone brings a criterion about."""


def paths(
    situation: Situation,
    tier: str,
    purpose: Purpose = "new",
    changes: Changes | None = None,
) -> Paths:
    """Prepare the paths of a city's firms to a tier."""
    law, panel, plan = situation.law, situation.panel, changes or changes_of(situation.law.city)
    batch = situation.batch(tier, purpose)
    wanted = needed(plan).union(situation.names)
    now = of_panel(law, panel, batch.data_year, batch.id, wanted)
    stages = ahead(law, plan, (tier, purpose), now, watch(panel))
    if not stages:
        raise NotFound(
            f"No batch for {tier!r} ({purpose}) comes within {plan.horizon_years} years.",
            f"This year's has closed, and {batch.edition} judges none after it.",
        )
    return Paths(law, plan, (tier, purpose), now, stages, panel)


@dataclass(frozen=True)
class Paths:
    """Paths of firms to one tier; the panel, if there is one, says when events leave a firm."""

    law: Law
    changes: Changes
    tier: tuple[str, Purpose]
    now: Inputs
    stages: tuple[Ahead, ...]
    panel: Panel | None = None

    def of(self, row: int, rescore: Rescore | None = None) -> Path:
        """Return the path of the firm in a row of the inputs."""
        first: Attempt | None = None
        found: list[tuple[Attempt, list[Floats]]] = []
        for stage in self.stages:
            attempt = self._attempt(stage, row)
            first = first or attempt
            if passes(attempt.verdict):
                found.append((attempt, [np.zeros(0)]))
                break
            if stage.years and UNMET in attempt.verdict.criteria[0]:
                points = attempt.best()
                if points:
                    found.append((attempt, points))
        assert first is not None, "a tier has at least the coming batch"
        path = self._chosen(first, found) if found else self._none(first, row)
        return replace(path, scores=rescore(path)) if rescore is not None else path

    def _attempt(self, stage: Ahead, row: int) -> Attempt:
        inputs = stage.inputs.take([row])
        return Attempt(self.law, self.changes, stage, self.tier[1], inputs, self.now.day)

    def _chosen(self, first: Attempt, found: list[tuple[Attempt, list[Floats]]]) -> Path:
        """Fewest fields, then least total, then the earliest batch; the other answer beside it."""
        answers = [self._answer(first, attempt, points) for attempt, points in found]
        order = sorted(answers, key=lambda p: (len(p.changes), round(p.total, 6)))
        other = order[1] if len(order) > 1 else None
        return replace(order[0], other=other)

    def _answer(self, first: Attempt, attempt: Attempt, points: list[Floats]) -> Path:
        stage = attempt.ahead
        changed = points[0].size > 0
        verdict = attempt.judged(attempt.changed(points[0])) if changed else attempt.verdict
        listed = [self._changes(attempt, point) for point in points] if changed else [()]
        return replace(
            self._bare(attempt),
            status="reachable" if stage.years else "met",
            batch_year=stage.batch.year,
            changes=listed[0],
            ties=tuple(listed[1:]),
            figures=_figures(attempt, points[0]) if changed else {},
            pending=self._open(attempt, verdict, (UNKNOWN, MANUAL)),
            by_time=self._by_time(first, attempt) if stage.years else (),
            assumptions=self._assumed(attempt) if stage.years else {},
        )

    def _none(self, first: Attempt, row: int) -> Path:
        """Say why no batch within the horizon can be reached."""
        last = self._attempt(self.stages[-1], row)
        if UNMET not in last.verdict.criteria[0]:
            pending = self._open(last, last.verdict, (UNKNOWN, MANUAL))
            return replace(self._bare(last), pending=pending)
        short, blocked = last.shortfall()
        return replace(
            self._bare(last),
            status="blocked" if blocked else "not_within_two_years",
            pending=self._open(last, last.verdict, (UNKNOWN, MANUAL)),
            by_time=self._by_time(first, last),
            short=tuple(_opened(c, "unmet") for c in short),
            blocked=tuple(_opened(c, "unmet", self._until(last, c)) for c in blocked),
            assumptions=self._assumed(last),
        )

    def _bare(self, attempt: Attempt) -> Path:
        firm = str(attempt.inputs.firm_ids[0])
        edition = attempt.ahead.edition.id
        return Path(firm, self.tier[0], edition, "unknown", None, self.changes.warning)

    def _assumed(self, attempt: Attempt) -> dict[str, Text]:
        """What a path rests on; what could not be let move exactly is named where it occurs."""
        return {
            name: text
            for name, text in self.changes.assumptions.items()
            if name != UNMOVED or attempt.unmoved
        }

    def _open(self, attempt: Attempt, verdict: Verdict, codes: tuple[int, ...]) -> tuple[Open, ...]:
        return tuple(
            _opened(criterion, NAMES[code])
            for criterion, code in zip(
                attempt.ahead.edition.criteria, verdict.criteria[0], strict=True
            )
            if code in codes
        )

    def _by_time(self, first: Attempt, attempt: Attempt) -> tuple[Open, ...]:
        """Criteria unmet in the coming batch that hold in the later one without any change."""
        if first.ahead.edition is not attempt.ahead.edition:
            return ()
        before, after = first.verdict.criteria[0], attempt.verdict.criteria[0]
        criteria = attempt.ahead.edition.criteria
        return tuple(
            _opened(criteria[i], NAMES[after[i]], self._until(first, criteria[i]))
            for i in np.flatnonzero((before == UNMET) & (after != UNMET))
        )

    def _until(self, attempt: Attempt, criterion: Criterion) -> date | None:
        """The day from which a criterion holds though nothing is changed, if there is one."""
        firm = str(attempt.inputs.firm_ids[0])
        standing = {
            name
            for leaf in walk(criterion.test)
            if isinstance(leaf, Leaf)
            for name in self.law.metrics[leaf.metric].inputs
            if "(" in name and attempt.columns.get(name) == 1.0
        }
        if not standing:
            return self._comes(attempt, criterion)
        panel = self.panel
        days = [ends_on(panel, name, firm) if panel else None for name in sorted(standing)]
        return None if None in days else max(day for day in days if day is not None)

    def _comes(self, attempt: Attempt, criterion: Criterion) -> date | None:
        """The end of the first fiscal year by which time alone has brought a criterion about."""
        row = [int(np.flatnonzero(self.now.firm_ids == attempt.inputs.firm_ids[0])[0])]
        now, batch = self.now.take(row), attempt.ahead.batch
        place = attempt.ahead.edition.criteria.index(criterion)
        for years in range(1, PATIENCE + 1):
            later = replace(
                batch, day=add_months(now.day, 12 * years), data_year=now.data_year + years
            )
            verdict = attempt.judged(inputs_of(now, self.changes, later, None))
            if verdict.criteria[0, place] != UNMET:
                return date(later.data_year, 12, 31)
        return None

    def _changes(self, attempt: Attempt, point: Floats) -> tuple[Change, ...]:
        outlook = attempt.outlook
        first_open = attempt.inputs.data_year - attempt.ahead.years + 1
        listed = []
        for i in np.flatnonzero(point[: len(outlook.choices)]):
            choice = outlook.choices[i]
            field, size = choice.field, float(point[i])
            shown = [part * size for part in choice.shown]
            steps = [np.floor(step + 1e-9) if field.integer else step for step in shown]
            values = [round(choice.start + field.direction * float(step), 6) for step in steps]
            listed.append(
                Change(
                    field=field.name,
                    unit=field.column.unit,
                    from_value=choice.start,
                    values=tuple((first_open + n, value) for n, value in enumerate(values)),
                    per_year=choice.unit,
                    lead_months=field.lead_months,
                    kind=field.kind,
                    confidence=field.confidence,
                    text=worded(field, self.changes, (choice.start, values[-1])),
                    how=field.how,
                )
            )
        return tuple(listed)


def _figures(attempt: Attempt, point: Floats) -> dict[int, dict[str, float]]:
    """What each open year shows in every column that moves."""
    before, after = attempt.columns, attempt.after(point)
    found: dict[int, dict[str, float]] = {}
    for name, value in sorted(after.items()):
        base, _, lag = name.partition("[-")
        if value != before[name] and not np.isnan(value) and "(" not in base:
            year = attempt.inputs.data_year - int(lag.rstrip("]") or 0)
            found.setdefault(year, {})[base] = value
    return dict(sorted(found.items()))


def _opened(criterion: Criterion, status: str, until: date | None = None) -> Open:
    text = Text(criterion.zh, criterion.en)
    return Open(criterion.address, criterion.clause, status, text, until)
