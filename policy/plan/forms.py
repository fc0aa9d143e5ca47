"""What each form of a plan's row must say: its keys, checked when a plan is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["FORMS", "missing"]

_UNIT = ("unit_zh", "unit_en")

FORMS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("target", "titles"): (*_UNIT, "tiers"),
    ("target", "condition"): (*_UNIT, "base", "who"),
    ("target", "ratio"): (*_UNIT, "base", "part", "whole", "reading"),
    ("target", "growth"): (*_UNIT, "base", "main", "profit", "reading", "statistic"),
    ("target", "price"): (*_UNIT, "base", "column", "weight", "reading"),
    ("target", "events"): (*_UNIT, "events", "boards"),
    ("target", "members"): (*_UNIT, "pool"),
    ("target", "activities"): (*_UNIT, "activity", "column", "period"),
    ("target", "each_district"): (*_UNIT, "activity", "column", "period", "each"),
    ("pool", "pools"): ("pools",),
    ("pool", "stages"): ("tiers", "growth"),
    ("pool", "phases"): ("phases",),
    ("pool", "ladder"): ("edges",),
    ("criterion", "dimensions"): ("dimensions",),
    ("criterion", "preference"): ("order",),
    ("register", "dynamic"): ("tiers", "window"),
    ("register", "steps"): ("steps",),
    ("register", "models"): ("who",),
    ("report", "catalogue"): (),
    ("report", "indicators"): ("indicators",),
    ("report", "budgets"): ("stock",),
    ("report", "league"): ("targets",),
    ("report", "progress"): (),
    ("report", "units"): ("targets",),
}
"""Keys by kind and form. Targets, pools and registers have no other forms."""

_OWN = ("target", "pool", "register")
_WITHOUT_GOAL = ("each_district",)


def missing(raw: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """What a row lacks to be run: key, what must hold, what was found."""
    kind = str(raw.get("kind"))
    detail = raw.get(kind)
    if not isinstance(detail, Mapping):
        return
    form = str(detail.get("form", ""))
    needed = FORMS.get((kind, form))
    if needed is None:
        if kind in _OWN:
            known = ", ".join(f for k, f in FORMS if k == kind)
            yield f"{kind}.form", f"The form of a {kind} must be one of {known}", form
        return
    for key in needed:
        if key not in detail:
            yield f"{kind}.{key}", f"A {kind} of form {form} must say {key}", "nothing"
    if kind == "target" and form not in _WITHOUT_GOAL and "goal" not in raw.get("numbers", {}):
        yield "numbers.goal", "A target must have a goal", "nothing"
    if ("note_zh" in detail) != ("note_en" in detail):
        yield f"{kind}.note", "A note must be in both languages", "one"
