"""The served model, trees plus a linear part, and the only calls of LightGBM.

A score is the raw output of the merged trees plus Σ weight·(t(x) - mean) over the linear terms;
a missing value adds nothing to its term. LightGBM takes any column for any feature without a word,
so columns are checked here, and it never sees a text that ``model.trees`` did not find sound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, cast

import lightgbm
import numpy as np

from model import trees
from model.forest import Floats, Forest, Ints
from tidu.errors import Refused, UsageError

__all__ = ["Additive", "LinearTerm", "Sample", "grow", "grow_bag"]

SERIAL_ROWS = 1000
"""Up to here one thread answers sooner than two, and leaves the other core to other requests."""
PINNED: Mapping[str, object] = {
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
    "data_random_seed": 1,
}
"""With these and a seed the trees are the same on one thread and on two."""
CURE = "Restore the model from its bundle, or train it again."


@dataclass(frozen=True, slots=True)
class LinearTerm:
    """weight·(t(x) - mean), where t clips x to [low, high] and then may take the signed log1p.

    ``mean`` is the mean of t(x) over training; with a missing x the term is 0, the same as at the
    mean, so a firm that does not report is neither praised nor blamed for it.
    """

    feature: str
    weight: float
    mean: float
    low: float
    high: float
    kind: Literal["clip", "log"] = "clip"

    def __post_init__(self) -> None:
        numbers = (self.weight, self.mean, self.low, self.high)
        sound = all(map(math.isfinite, numbers)) and self.low <= self.high
        if not sound or self.kind not in ("clip", "log"):
            raise Refused(
                f"A linear term must have finite numbers, low <= high, kind clip or log; "
                f"found {asdict(self)}.",
                CURE,
            )

    def transform(self, column: Floats) -> Floats:
        """Return t(x); NaN stays NaN."""
        clipped = np.clip(column, self.low, self.high)
        if self.kind == "log":
            clipped = np.copysign(np.log1p(np.abs(clipped)), clipped)
        return clipped

    def effect(self, column: Floats) -> Floats:
        """Return what the term adds to the score of each row."""
        return np.nan_to_num(self.weight * (self.transform(column) - self.mean), nan=0.0)


@dataclass(frozen=True, slots=True)
class Additive:
    """An exactly additive model; holding one means its parts are sound and fit together."""

    names: tuple[str, ...]
    text: str = field(repr=False)
    linear: tuple[LinearTerm, ...] = ()
    forest: Forest = field(init=False, repr=False, compare=False)
    _boosters: list[lightgbm.Booster] = field(
        init=False, repr=False, compare=False, default_factory=list
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "forest", trees.check(self.text))
        self.expect(self.forest.names)
        terms = [term.feature for term in self.linear]
        odd = sorted(set(terms) - set(self.names))
        if odd or len(set(terms)) < len(terms):
            raise Refused(
                "Linear terms must name features of the model, each once; "
                f"found {', '.join(odd) or 'one twice'}.",
                CURE,
            )

    def expect(self, names: Sequence[str]) -> None:
        """Refuse columns that are not the model's features in the model's order."""
        if tuple(names) == self.names:
            return
        missing = [name for name in self.names if name not in set(names)]
        surplus = [name for name in names if name not in set(self.names)]
        raise Refused(
            f"Columns must be the {len(self.names)} features of the model in their order; found "
            f"{len(names)} columns, missing {missing[:5]}, unknown {surplus[:5]}.",
            "Build the profile with the feature specs that lie in the model's bundle.",
            {"expected": list(self.names), "found": list(names)},
        )

    def scores(self, values: Floats) -> Floats:
        """Return the score of each row; the same to the last bit whatever the number of rows."""
        result = self._predict(values, raw_score=True)
        for column, term in self.terms():
            result = result + term.effect(values[:, column])
        return result

    def terms(self) -> tuple[tuple[int, LinearTerm], ...]:
        """Return the linear terms, each with the column of its feature."""
        return tuple((self.names.index(term.feature), term) for term in self.linear)

    def tree_contributions(self, values: Floats) -> Floats:
        """Return LightGBM's own TreeSHAP of the trees, (n, F + 1): slow, and any tree will do."""
        return self._predict(values, pred_contrib=True)

    def leaves(self, values: Floats) -> Ints:
        """Return the leaf of each row in each tree, (n, trees), counted from 0 inside its tree."""
        found = self._predict(values, pred_leaf=True)
        return np.asarray(found, dtype=np.int64).reshape(len(values), self.forest.trees)

    def as_json(self) -> dict[str, object]:
        """Return everything but the text, ready for JSON."""
        return {"names": list(self.names), "linear": [asdict(term) for term in self.linear]}

    @classmethod
    def from_json(cls, value: Mapping[str, object], text: str) -> Additive:
        """Build the model from ``as_json`` and its text; refuse what does not fit."""
        try:
            names = cast(Sequence[str], value["names"])
            terms = cast(Sequence[dict[str, object]], value["linear"])
            linear = tuple(LinearTerm(**term) for term in terms)  # type: ignore[arg-type]
            return cls(names=tuple(names), text=text, linear=linear)
        except (KeyError, TypeError) as error:
            raise Refused(f"A model must have names and linear terms; {error}.", CURE) from error

    def checked(self, values: Floats) -> Floats:
        """Return the rows as numbers, or refuse another number of columns."""
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise Refused(
                f"Values must be rows of {len(self.names)} features; found {values.shape}.",
                "Build the profile with the feature specs that lie in the model's bundle.",
            )
        return np.asarray(values, dtype=np.float64)

    def _predict(self, values: Floats, **kind: bool) -> Floats:
        rows = self.checked(values)
        if not len(rows):
            return np.empty((0, len(self.names) + 1) if "pred_contrib" in kind else 0)
        if not self._boosters:
            self._boosters.append(lightgbm.Booster(model_str=self.text))
        threads = 1 if len(rows) <= SERIAL_ROWS else 2
        found = self._boosters[0].predict(rows, num_threads=threads, **kind)
        return cast(Floats, found)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What a booster is grown on; ``init_score`` is not part of the grown score."""

    values: Floats
    target: Floats
    names: tuple[str, ...]
    weight: Floats | None = None
    init_score: Floats | None = None

    def __post_init__(self) -> None:
        rows, columns = self.values.shape
        sized = [a for a in (self.target, self.weight, self.init_score) if a is not None]
        if not rows or columns != len(self.names) or any(a.shape != (rows,) for a in sized):
            raise UsageError(
                f"A sample must hold rows of {len(self.names)} named features and one target per "
                f"row; found values {self.values.shape}, others {[a.shape for a in sized]}."
            )
        if not all(np.isfinite(a).all() for a in sized):
            raise UsageError("Target, weight and init_score must be finite; found NaN or inf.")


def grow(
    sample: Sample,
    params: Mapping[str, object],
    rounds: int,
    seed: int,
    monotone: Sequence[int] | None = None,
) -> str:
    """Grow one booster; the same as a bag of one."""
    return grow_bag(sample, [{**params, "seed": seed}], rounds, monotone)[0]


def grow_bag(
    sample: Sample,
    members: Sequence[Mapping[str, object]],
    rounds: int,
    monotone: Sequence[int] | None = None,
) -> list[str]:
    """Grow boosters on one sample and return their canonical texts, which depend on nothing else.

    ``members`` holds LightGBM's parameters of each, ``seed`` included (``num_threads`` is 2 unless
    they say otherwise and changes nothing in the trees); they differ in nothing that concerns
    binning, which is done once. ``monotone`` holds -1, 0 or +1 per feature. Members are joined by
    ``trees.merge``. The base (boost_from_average) stands in the leaves of the first tree.
    """
    common: dict[str, object] = {"num_threads": 2, **PINNED}
    if monotone is not None:
        common["monotone_constraints"] = [int(sign) for sign in monotone]
    settings = [{**common, **member, **PINNED} for member in members]
    data = lightgbm.Dataset(
        np.asarray(sample.values, dtype=np.float64),
        label=sample.target,
        weight=sample.weight,
        init_score=sample.init_score,
        feature_name=list(sample.names),
        categorical_feature=[],
        params=settings[0],
    )
    grown = (lightgbm.train(each, data, num_boost_round=rounds) for each in settings)
    return [trees.merge([booster.model_to_string()]) for booster in grown]
