"""Recipes: how a served model is grown, a bag of small trees and a shrunk linear part.

Both learn the log-odds of the label and are blended in log-odds, so the blend is additive and its
reasons are exact. Trees may learn from rows of the ladder's other tiers too; they are then
resolved at the served tier. What was tried, and the figures behind the numbers here, stand in
``docs/decisions/0007-recipe.md``, ``0012-borrowing-strength.md``, ``0018-what-the-law-reads.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from model import trees
from model.boosters import Additive, Sample, grow_bag
from model.forest import Floats, Forest, Ints
from model.kin import Kin
from model.linear import Ridge, ridge
from model.pooling import Pool, pooled
from model.resolving import covered_by, resolved
from tidu.errors import NotAvailable, UsageError

__all__ = ["BORROWING", "RECIPES", "Recipe", "fit"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How trees are grown and blended; ``members * rounds`` trees are the price of reasons.

    ``extra_trees_share`` of the members draw their thresholds at random; ``linear_share`` is the
    linear part's weight in the blend; ``monotone`` binds both parts to the stated directions.
    ``kin`` is the weight of a row one tier away from the served one, two tiers away its square; at
    0 the tier is learned alone. A recipe that borrows multiplies the gain of splits on features
    that the ladder's law does not read by ``uncited``, and its line weighs as much as its trees
    at ``even_at`` positives of the served tier, more with fewer (0: ``linear_share`` whatever their
    number): a line is wrong by the same amount however many there are, trees less with each.
    """

    name: str
    members: int
    rounds: int
    leaves: int
    learning_rate: float
    feature_fraction: float
    l2: float
    path_smooth: float
    min_leaf: int
    bins: int
    extra_trees_share: float
    linear_share: float
    linear_l2: float
    monotone: bool = False
    kin: float = 0.0
    uncited: float = 1.0
    even_at: float = 0.0

    def __post_init__(self) -> None:
        counts = (self.members, self.rounds, self.min_leaf)
        shares = (self.extra_trees_share, self.linear_share, self.kin, self.uncited)
        sound = (
            min(counts) >= 1
            and 2 <= self.leaves <= 8  # reasons of one tree cost what its leaves allow
            and 3 <= self.bins <= 255
            and 0 < self.learning_rate <= 1
            and 0 < self.feature_fraction <= 1
            and min(self.l2, self.path_smooth, self.even_at) >= 0
            and self.uncited > 0
            and self.linear_l2 > 0
            and all(0 <= share <= 1 for share in shares)
            and self.linear_share < 1
        )
        if not (self.name and sound):
            raise UsageError(
                "A recipe must have a name, at least one member and round, 2 to 8 leaves, shares"
                f" from 0 to 1 and a linear share below 1; found {self}."
            )

    @property
    def trees(self) -> int:
        """Trees of the served model."""
        return self.members * self.rounds

    def line_share(self, positives: float) -> float:
        """The linear part's weight in a blend that borrows, by the served tier's positives."""
        return self.even_at / (self.even_at + positives) if self.even_at else self.linear_share

    def settled(self, positives: float) -> Recipe:
        """The same with the line's weight that this many positives give, whatever teaches it."""
        if not self.even_at or not positives:
            return self
        return replace(self, linear_share=self.line_share(positives), even_at=0.0)

    def halved(self) -> Recipe:
        """For half the rows: a penalty in proportion, so that as much is left to the outcomes."""
        return replace(self, linear_l2=self.linear_l2 / 2)

    def all_params(
        self, seed: int, trust: Sequence[float] | None = None
    ) -> tuple[dict[str, object], ...]:
        """LightGBM's parameters of all members; ``trust`` multiplies gains, a column each."""
        more = {} if trust is None else {"feature_contri": list(trust)}
        return tuple(self.params(i) | more | {"seed": seed * 1000 + i} for i in range(self.members))

    def params(self, member: int) -> dict[str, object]:
        """LightGBM's parameters of one member; thresholds at random are spread evenly."""
        share = self.extra_trees_share
        return {
            "objective": "binary",
            "num_threads": 1,
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "feature_fraction": self.feature_fraction,
            "lambda_l2": self.l2,
            "path_smooth": self.path_smooth,
            "min_data_in_leaf": self.min_leaf,
            "max_bin": self.bins,
            "extra_trees": int((member + 1) * share) > int(member * share),
        }


WORKERS = 2
TIER = "@tier"
"""The column by which trees tell tiers apart while they grow; no feature is named like it."""

SMALL_BAG = Recipe(
    name="small-bag",
    members=8,
    rounds=80,
    leaves=8,
    learning_rate=0.1,
    feature_fraction=0.35,
    l2=10.0,
    path_smooth=5.0,
    min_leaf=20,
    bins=63,
    extra_trees_share=0.5,
    linear_share=0.2,
    linear_l2=300.0,
)

RECIPES = (SMALL_BAG, replace(SMALL_BAG, name="small-bag-monotone", monotone=True))
"""The recipes to choose from, by out-of-time evidence (``model.selection``); first on a tie."""

BORROWING = (
    replace(SMALL_BAG, name="ladder-bag", members=4, kin=0.25, uncited=0.35, even_at=75.0),
)
"""The further recipes of a task with kin: half the trees, for many more rows steady them."""


def fit(  # noqa: PLR0913 - the columns and what is known of them
    values: Floats,
    label: Floats,
    names: Sequence[str],
    directions: Sequence[int],
    recipe: Recipe,
    seed: int,
    weight: Floats | None = None,
    kin: Kin | None = None,
) -> Additive:
    """Learn ``label`` (0 or 1 a row) from named columns; NaN and inf are unknown.

    ``directions`` are the expected effects of more of a feature on the *label*, used by a monotone
    recipe. The model depends on a column's name and content, not on its place. ``kin`` has the
    same columns; a recipe without weight for it learns from the rows alone.
    """
    _check(values, label, names, directions)
    order = np.argsort(np.asarray(names, dtype=str), kind="stable")
    known = np.where(np.isfinite(values), values, np.nan)[:, order]
    sample = Sample(known, label.astype(np.float64), tuple(names[i] for i in order), weight)
    signs = [int(directions[i]) for i in order] if recipe.monotone else None
    if kin is not None and recipe.kin and len(kin.label):
        pool = pooled(sample, kin.columns(order), recipe.kin)
        share = recipe.line_share(pool.positives)
        forest = _borrowing(pool, recipe, share, seed, signs)
        good = [int(directions[i]) for i in order]
        line = pool.ridge(recipe.linear_l2, good) if share else Ridge(0.0, ())
    else:
        share = recipe.linear_share
        text = _bag(sample, recipe.all_params(seed), recipe.rounds, 1.0 - share, signs)
        forest = trees.parse(text)
        line = ridge(sample, recipe.linear_l2, signs) if share else Ridge(0.0, ())
    terms = tuple(replace(term, weight=term.weight * share) for term in line.terms)
    placed = _placed(forest, tuple(names), order, line.base * share)
    return Additive(names=tuple(names), text=placed, linear=terms)


def _check(values: Floats, label: Floats, names: Sequence[str], directions: Sequence[int]) -> None:
    shape = (len(label), len(names))
    if values.shape != shape or len(directions) != len(names) or len(set(names)) < len(names):
        raise UsageError(
            f"Values must be rows of {len(names)} differently named features with one label a row"
            f" and one direction a feature; found values {values.shape}, {len(label)} labels,"
            f" {len(directions)} directions."
        )
    found = np.unique(label)
    if not np.isin(found, (0.0, 1.0)).all():
        raise UsageError(f"Labels must be 0 or 1; found {found[:5].tolist()}.")
    if len(found) < 2:
        said = f"{len(label)} rows, all of them {int(found[0])}" if len(found) else "no rows"
        raise NotAvailable(
            f"Training needs both outcomes among its rows; found {said}.",
            "Train at a later date, with a longer horizon, or on more firms.",
        )


def _bag(
    sample: Sample,
    members: Sequence[Mapping[str, object]],
    rounds: int,
    share: float,
    signs: Sequence[int] | None,
) -> str:
    """Grow the members, which together have the weight ``share``."""

    def half(first: int) -> list[str]:
        return grow_bag(sample, members[first::WORKERS], rounds, signs)

    # One thread a member and two halves of the bag at a time: small trees gain nothing from more
    # threads, and on a shared machine threads that wait for each other lose most of the time.
    with ThreadPoolExecutor(WORKERS) as pool:
        halves = list(pool.map(half, range(min(WORKERS, len(members)))))
    texts = [halves[i % WORKERS][i // WORKERS] for i in range(len(members))]
    return trees.merge(texts, [share / len(members)] * len(members))


def _borrowing(
    pool: Pool, recipe: Recipe, share: float, seed: int, signs: Sequence[int] | None
) -> Forest:
    """Trees grown on the rows and their kin with the tier as a column, resolved at the served one.

    Each tier starts from its own log-odds, so that trees need not learn how rare a title is.
    """
    together = replace(
        pool.sample,
        values=np.column_stack([pool.sample.values, pool.place]),
        names=(*pool.sample.names, TIER),
        init_score=pool.start,
    )
    trust = [*np.where(pool.cited, 1.0, recipe.uncited).tolist(), 1.0]
    bound = None if signs is None else [*signs, 0]
    text = _bag(together, recipe.all_params(seed, trust), recipe.rounds, 1.0 - share, bound)
    served = resolved(trees.parse(text), TIER, float(pool.own))
    own = pool.sample.values[: pool.rows]
    leaf = Additive(served.names, trees.render(served)).leaves(own)
    return _raised(covered_by(served, leaf), pool.base * (1.0 - share))


def _raised(forest: Forest, base: float) -> Forest:
    """The forest with ``base`` added to every score, in its first tree."""
    leaf, inner = forest.leaf_value.copy(), forest.internal_value.copy()
    leaf[: forest.leaves[0]] += base
    inner[: forest.leaves[0] - 1] += base
    return replace(forest, leaf_value=leaf, internal_value=inner)


def _placed(grown: Forest, names: tuple[str, ...], order: Ints, base: float) -> str:
    """The grown trees over the caller's columns, with the linear part's base in the first tree."""
    ranges = [grown.ranges[at] for at in np.argsort(order)]
    forest = replace(
        _raised(grown, base),
        names=names,
        ranges=tuple(ranges),
        split_feature=order[grown.split_feature.astype(np.int64)],
    )
    return trees.render(forest)
