"""The independent check of an answer: from inputs before and after, without the search's own words.

Says every fault it finds: a forbidden move, a broken identity, an immutable or a closed year that
changed, a field beyond what it may reach, a part above its whole. An answer has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

from features.schema import register
from policy.path.changes import Changes, Field
from policy.path.size import SIZES
from tidu.clock import add_months

__all__ = ["faults"]

Columns = Mapping[str, float]
CLOSE = 1e-6
"""Amounts that differ by less, per unit of the largest, are equal."""


def faults(changes: Changes, before: Columns, after: Columns, years: int, start: date) -> list[str]:
    """Return every fault of a change; ``before`` is the batch's inputs if nothing is changed.

    ``years`` fiscal years are open, the first of them that of ``start``.
    """
    found = list(_moved(changes, before, after, years))
    found += _forbidden(changes, before, after)
    for lag in range(years):
        found += _identities(changes, before, after, lag)
        found += _parts(changes, before, after, lag)
    for field in changes.fields:
        found += _field(changes, field, (before, after), years, start)
    return found


def _name(base: str, lag: int) -> str:
    return f"{base}[-{lag}]" if lag else base


def _delta(before: Columns, after: Columns, name: str) -> float:
    return after.get(name, math.nan) - before.get(name, math.nan)


def _moved(changes: Changes, before: Columns, after: Columns, years: int) -> Iterator[str]:
    """Nothing but movable columns of open years may differ, and nothing may become known."""
    movable = {name for field in changes.fields for name in field.moves}
    if set(before) != set(after):
        yield f"inputs appear or vanish: {sorted(set(before) ^ set(after))}"
    for name in set(before) & set(after):
        a, b = before[name], after[name]
        if a == b or (math.isnan(a) and math.isnan(b)):
            continue
        base, _, lag = name.partition("[-")
        if int(lag.rstrip("]") or 0) >= years:
            yield f"closed year changed: {name}"
        elif base not in movable and name not in SIZES:
            yield f"immutable changed: {name}"
        elif math.isnan(a) or math.isnan(b):
            yield f"unknown made up: {name}"


def _forbidden(changes: Changes, before: Columns, after: Columns) -> Iterator[str]:
    for name in before:
        base, change = name.partition("[")[0], _delta(before, after, name)
        for move in changes.forbidden:
            if base in move.never_lower and change < -CLOSE:
                yield f"forbidden move {move.id}: {name} lowered by {-change}"
            if base in move.never_change and abs(change) > 0.0:
                yield f"forbidden move {move.id}: {name} changed"


def _identities(changes: Changes, before: Columns, after: Columns, lag: int) -> Iterator[str]:
    for identity in changes.identities:
        names = {_name(base, lag): weight for base, weight in identity.sum.items()}
        if any(math.isnan(before.get(name, math.nan)) for name in names):
            continue
        sums = [sum(w * side[n] for n, w in names.items()) for side in (before, after)]
        size = max(1.0, *(abs(after[name]) for name in names))
        if abs(sums[1] - sums[0]) > CLOSE * size:
            yield f"identity broken: {identity.id} {_name('', lag)} {sums}"


def _parts(changes: Changes, before: Columns, after: Columns, lag: int) -> Iterator[str]:
    columns = register().tables["annual"].columns
    for part, whole in changes.parts.items():
        a, b = _name(part, lag), _name(whole, lag)
        fine = before.get(a, math.nan) <= before.get(b, math.nan)
        if fine and after[a] > after[b] + CLOSE * max(1.0, after[b]):
            yield f"part above whole: {a} {after[a]} > {b} {after[b]}"
    for base in {name for field in changes.fields for name in field.moves}:
        name, column = _name(base, lag), columns[base]
        was, now = before.get(name, math.nan), after.get(name, math.nan)
        slack = CLOSE * max(1.0, abs(now))
        if column.low is not None and was >= column.low and now < column.low - slack:
            yield f"below its least value: {name} {now}"
        if column.high is not None and was <= column.high and now > column.high + slack:
            yield f"above its greatest value: {name} {now}"


def _field(
    changes: Changes, field: Field, sides: tuple[Columns, Columns], years: int, start: date
) -> Iterator[str]:
    """The field's own change: the right way, not too soon, not too far, in whole steps."""
    before, _ = sides
    own = _own(changes, field, sides)
    unit = field.per_year.size(before)
    slack = CLOSE * max(1.0, unit, abs(before.get(field.name, 0.0)))
    if abs(own) <= slack:
        return
    ready = add_months(start, field.lead_months)
    shown = sum(date(start.year + i, 12, 31) >= ready for i in range(years))
    if shown == 0:
        yield f"too soon: {field.id} shows after {field.lead_months} months"
    if own * field.direction < 0:
        yield f"wrong way: {field.id}"
    if abs(own) > (max(1.0, unit) if field.integer else unit) * shown + slack:
        yield f"too far: {field.id} by {own} at {unit} a year"
    if field.integer and abs(own - round(own)) > slack:
        yield f"not whole: {field.id} by {own}"


def _own(changes: Changes, field: Field, sides: tuple[Columns, Columns]) -> float:
    """What a column changed by, less what other fields moved in it."""
    before, after = sides
    if not field.offered(before):
        return 0.0
    others = (
        _own(changes, other, sides) * other.moves[field.name]
        for other in changes.fields
        if other.name != field.name and field.name in other.moves
    )
    return _delta(before, after, field.name) - sum(others)
