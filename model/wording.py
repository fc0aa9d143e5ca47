"""Reasons in words: exact contributions grouped, limited to the few that matter, in zh and en.

Contributions sum to score − base. In probability points each is φ·(p − p₀)/(s − s₀), the slope of
the calibration where s = s₀, so that the points sum to 100·(p − p₀). What is not named is given as
``rest``: nothing is left out of either sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.spec import DIMENSIONS, FACETS
from tidu.errors import Refused

__all__ = ["TOLERANCE", "Feature", "Reasoned", "change", "contrast", "explain", "number"]

TOLERANCE = 1e-6
"""How far either sum may be from what it explains."""

MOST = 4

YES_NO = "是/否"
MIDDLE = 50

Floats = NDArray[np.float64]

UNITS_EN = {
    "万元": "×10k CNY",
    "亿元": "×100m CNY",
    "元": "CNY",
    "元/股": "CNY per share",
    "人": "people",
    "天": "days",
    "年": "years",
    "月": "months",
    "倍": "times",
    "次": "times a year",
    "项": "items",
    "个": "items",
    "名": "(place)",
    "家": "firms",
    "级": "(level)",
    "分": "points",
    "平方米": "m²",
    "千瓦时": "kWh",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """What people need to read one feature; ``direction``: the expected effect of more on good."""

    name: str
    zh: str
    en: str
    unit: str = ""
    dimension: str = "character"
    facet: str = "governance"
    actionable: bool = False
    direction: int = 0

    def __post_init__(self) -> None:
        if not (self.name and self.zh and self.en):
            raise Refused(f"A feature must have a name, a zh and an en label, found {self!r}.")
        if self.dimension not in DIMENSIONS or self.facet not in FACETS:
            raise Refused(
                f"Feature {self.name!r} must name a dimension of {sorted(DIMENSIONS)} and a facet"
                f" of {sorted(FACETS)}, found {self.dimension!r} and {self.facet!r}."
            )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Feature:
        """Take what belongs here out of a feature spec written as JSON."""
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})

    def as_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Reasoned:
    """One scored firm: contributions (F), values (F) and peer positions (F, 0–100; NaN = unknown).

    ``slope`` is the calibration's slope at the base, used where the score stands on the base.
    """

    score: float
    probability: float
    base: float
    base_probability: float
    slope: float
    contributions: Floats
    values: Floats
    peers: Floats | None = None

    @property
    def factor(self) -> float:
        """Probability points per unit of contribution."""
        step = self.score - self.base
        if abs(step) < TOLERANCE**2:
            return 100 * self.slope
        return 100 * (self.probability - self.base_probability) / step

    @property
    def points(self) -> Floats:
        return self.contributions * self.factor


def explain(features: Sequence[Feature], firm: Reasoned, most: int = MOST) -> dict[str, Any]:
    """Say why a firm scores so: ≤ ``most`` reasons each way, all dimensions, the rest."""
    points = firm.points
    residual = _sums(firm.contributions, firm.score - firm.base)

    def reason(index: int) -> dict[str, Any]:
        feature = features[index]
        value, peer = _at(firm.values, index), _at(firm.peers, index)
        fact_zh, fact_en = _fact(feature, value, peer)
        effect = firm.contributions[index], points[index]
        return {
            **_head(feature),
            "value": value,
            "peer": peer,
            "contribution": float(effect[0]),
            "points": float(effect[1]),
            "text_zh": f"{fact_zh}:评分{effect[0]:+.2f},估计概率约{effect[1]:+.1f}个百分点",
            "text_en": f"{fact_en}: score {effect[0]:+.2f}, chance about {effect[1]:+.1f} points",
        }

    return {
        "score": firm.score,
        "base": firm.base,
        "probability": firm.probability,
        "base_probability": firm.base_probability,
        **_grouped(features, firm.contributions, points, reason, most),
        "residual": residual,
    }


def contrast(
    features: Sequence[Feature], a: Reasoned, b: Reasoned, most: int = MOST
) -> dict[str, Any]:
    """Say why ``a`` stands above or below ``b``: the difference of two rows, exact."""
    difference = a.contributions - b.contributions
    points = a.points - b.points
    # Of the difference more is asked: what the two have in common cancels (1e-9, design).
    residual = _sums(difference, a.score - b.score, 1e-9)

    def reason(index: int) -> dict[str, Any]:
        feature = features[index]
        ours, theirs = _at(a.values, index), _at(b.values, index)
        sides_zh = f"{number(ours, feature.unit)} 对 {number(theirs, feature.unit)}"
        unit = UNITS_EN.get(feature.unit, feature.unit)
        sides_en = f"{_english(ours, unit)} against {_english(theirs, unit)}"
        return {
            **_head(feature),
            "value_a": ours,
            "value_b": theirs,
            "peer_a": _at(a.peers, index),
            "peer_b": _at(b.peers, index),
            "contribution": float(difference[index]),
            "points": float(points[index]),
            "text_zh": f"{feature.zh}:{sides_zh},评分差{difference[index]:+.2f}",
            "text_en": f"{feature.en}: {sides_en}, score difference {difference[index]:+.2f}",
        }

    return {
        "score_difference": a.score - b.score,
        "probability_difference": a.probability - b.probability,
        **_grouped(features, difference, points, reason, most),
        "residual": residual,
    }


def _sums(contributions: Floats, expected: float, tolerance: float = TOLERANCE) -> float:
    residual = float(contributions.sum()) - expected
    if not abs(residual) <= tolerance * max(1.0, abs(expected)):
        raise Refused(
            f"Contributions must sum to {expected:.9g} within {tolerance:g}, found a difference of"
            f" {residual:.3g}.",
            "The stored reasons do not belong to the stored scores: publish again.",
        )
    return residual


def _grouped(
    features: Sequence[Feature],
    contributions: Floats,
    points: Floats,
    reason: Callable[[int], dict[str, Any]],
    most: int,
) -> dict[str, Any]:
    order = np.argsort(-contributions, kind="stable").tolist()
    positive = [i for i in order[:most] if contributions[i] > 0]
    negative = [i for i in order[: -most - 1 : -1] if contributions[i] < 0]
    named = positive + negative
    count = int(np.count_nonzero(contributions)) - len(named)
    return {
        "dimensions": _dimensions(features, contributions, points),
        "positive": [reason(i) for i in positive],
        "negative": [reason(i) for i in negative],
        "rest": {
            "contribution": float(contributions.sum() - contributions[named].sum()),
            "points": float(points.sum() - points[named].sum()),
            "features": count,
        },
    }


def _dimensions(
    features: Sequence[Feature], contributions: Floats, points: Floats
) -> list[dict[str, Any]]:
    names = list(DIMENSIONS)
    places = [names.index(feature.dimension) for feature in features]
    sums = np.bincount(places, contributions, len(names)).tolist()
    shares = np.bincount(places, points, len(names)).tolist()
    return [
        {"dimension": name, "zh": DIMENSIONS[name], "contribution": total, "points": share}
        for name, total, share in zip(names, sums, shares, strict=True)
    ]


def _head(feature: Feature) -> dict[str, Any]:
    return {
        "feature": feature.name,
        "zh": feature.zh,
        "en": feature.en,
        "unit": feature.unit,
        "dimension": feature.dimension,
        "facet": feature.facet,
        "actionable": feature.actionable,
        "direction": feature.direction,
    }


def _at(row: Floats | None, index: int) -> float | None:
    if row is None:
        return None
    value = float(row[index])
    return value if math.isfinite(value) else None


def _fact(feature: Feature, value: float | None, peer: float | None) -> tuple[str, str]:
    unit = UNITS_EN.get(feature.unit, feature.unit)
    if value is None:
        return f"{feature.zh}未知", f"{feature.en} is unknown"
    if feature.unit == YES_NO:
        return (
            f"{feature.zh}:{'是' if value else '否'}",
            f"{feature.en}: {'yes' if value else 'no'}",
        )
    zh = f"{feature.zh} {number(value, feature.unit)}"
    en = f"{feature.en} {_english(value, unit)}"
    if peer is None:
        return zh, en
    if peer < MIDDLE:
        return f"{zh},低于{100 - peer:.0f}%的同行", f"{en}, below {100 - peer:.0f} % of peers"
    return f"{zh},高于{peer:.0f}%的同行", f"{en}, above {peer:.0f} % of peers"


def _english(value: float | None, unit: str) -> str:
    if value is None:
        return "unknown"
    return number(value, "") + (f" {unit}" if unit else "")


def change(before: float | None, after: float | None, unit: str) -> tuple[str, str]:
    """A value before and after, in Chinese and English.

    >>> change(1.5, None, "年")
    ('1.50年 → 未知', '1.50 years → unknown')
    """
    if unit == YES_NO:
        words = ({1.0: "是", 0.0: "否", None: "未知"}, {1.0: "yes", 0.0: "no", None: "unknown"})
        zh, en = (f"{w.get(before, before)} → {w.get(after, after)}" for w in words)
        return zh, en
    named = UNITS_EN.get(unit, unit)
    return (
        f"{number(before, unit)} → {number(after, unit)}",
        f"{_english(before, named)} → {_english(after, named)}",
    )


def number(value: float | None, unit: str) -> str:
    """Write a value as people do: three digits that count, thousands apart, its unit behind.

    >>> number(12345.678, "万元"), number(3.14159, "%"), number(None, "人"), number(0.0123, "")
    ('12,346万元', '3.14%', '未知', '0.0123')
    """
    if value is None:
        return "未知"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}{unit}"
    size = math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, min(6, 2 - size))}f}{unit}"
