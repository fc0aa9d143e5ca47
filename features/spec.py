"""A feature of the growth profile: its formula and what people need to read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.expr import Array, Expr, from_json, to_json
from tidu.errors import Refused

__all__ = ["DIMENSIONS", "FACETS", "FeatureSpec"]

Dimension = Literal["scale", "character", "growth", "innovation"]
DIMENSIONS = {"scale": "规模", "character": "特征", "growth": "成长性", "innovation": "创新力"}
"""The plan's dimensions of a growth profile (plan A3: 规模、特征、成长性、创新力)."""

FACETS = {
    "special": "专",
    "refined": "精",
    "distinctive": "特",
    "novel": "新",
    "chain": "链",
    "finance": "财务",
    "governance": "治理",
}


@dataclass(frozen=True)
class FeatureSpec:
    """One feature.

    ``direction``: +1 more is expected to be better for the firm, −1 worse, 0 not known.
    ``actionable``: the firm itself can change it within a few years.
    ``families``: the task families it may enter; empty = never a driver.
    """

    name: str
    zh: str
    en: str
    unit: str
    dimension: Dimension
    facet: str
    expr: Expr
    direction: int = 0
    actionable: bool = True
    families: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.dimension not in DIMENSIONS or self.facet not in FACETS:
            raise Refused(
                f"Feature {self.name!r} must name a dimension of {sorted(DIMENSIONS)} and a facet"
                f" of {sorted(FACETS)}, found {self.dimension!r} and {self.facet!r}."
            )
        if self.direction not in (-1, 0, 1):
            raise Refused(f"Feature {self.name!r}: direction must be -1, 0 or 1.")

    def shown(self, values: Array) -> Array:
        """Values as people read them: a logarithm becomes the number it was taken of."""
        if self.expr.op != "log":
            return values
        return np.asarray(np.copysign(np.expm1(np.abs(values)), values))

    @property
    def shown_unit(self) -> str:
        """The unit of what :meth:`shown` gives."""
        return self.unit.removeprefix("ln ")

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "zh": self.zh,
            "en": self.en,
            "unit": self.unit,
            "dimension": self.dimension,
            "facet": self.facet,
            "formula": to_json(self.expr),
            "direction": self.direction,
            "actionable": self.actionable,
            "families": list(self.families),
        }

    @classmethod
    def from_json(cls, data: dict[str, object]) -> FeatureSpec:
        fields = dict(data)
        try:
            fields["expr"] = from_json(fields.pop("formula"))
            families = fields.pop("families")
            assert isinstance(families, Iterable)
            return cls(families=tuple(families), **fields)  # type: ignore[arg-type]
        except (KeyError, TypeError) as error:
            raise Refused(
                f"A feature must have the fields of this version, found {sorted(data)}: {error}.",
                "Train the bundle again with this version.",
            ) from None
