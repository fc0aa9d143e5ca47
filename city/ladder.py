"""What the city grants and what befalls firms between two 30 Junes: chances, draws, standing.

Every chance is fixed by the state at its start; those of titles come from ``city.merit``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from city.merit import Titles, filled, places, spread, titles
from city.parameters import Floats, Stream, as_terms, score
from city.state import Bools, Ints, Standing, State, View, World

__all__ = ["EXITS", "REVIEWED_EARLY", "Chances", "Happened", "chances", "draw", "settle"]

EXITS = ("", "default_90d", "bankruptcy", "closure", "leaving")
"""What may end, or shake, a firm; at most one a year, and all but a default end it."""

STEPS = ("reform", "guidance", "quoted", "listed")
WINDOW = 365  # days after 30 June on which something may happen
REVIEWED_EARLY = 14  # days before the new titles of its batch on which a review is decided
REVOKED_FROM = 120  # the first day on which a title may be revoked


@dataclass(frozen=True, slots=True)
class Chances:
    """The chances of one window, per firm.

    What needs a firm to be there on a day is drawn apart from whether it still is: the chance of
    each label is the product.
    """

    titles: Titles
    exits: Floats  # (4, N), in the order of EXITS[1:]
    stages: Mapping[str, Floats]  # reform, guidance, quoted, listed: given that the firm stays
    days: Ints  # per tier, after 30 June, on which new titles are issued
    closes: Ints  # per tier, the last day of submissions

    @property
    def final(self) -> Floats:
        """The chance that the firm ends in the window."""
        return np.asarray(self.exits[1:].sum(axis=0))

    def there(self, day: int) -> Floats:
        """The chance that the firm has not ended before ``day``."""
        return np.asarray(1.0 - self.final * (day - 1) / WINDOW)

    def application(self, tier: int) -> Floats:
        """The chance of applying: it means to, and is there when submissions close."""
        return np.asarray(self.titles.apply[tier] * self.there(self.closes[tier]))

    def title(self, tier: int) -> Floats:
        """The chance of the title: applied, granted, and alive on the day it is issued."""
        granted = self.titles.apply[tier] * self.titles.grant[tier]
        return np.asarray(granted * self.there(self.days[tier]))

    def recognition(self, tier: int) -> Floats:
        """The chance of the title given an application."""
        lasts = self.there(self.days[tier]) / self.there(self.closes[tier])
        return np.asarray(self.titles.grant[tier] * lasts)

    def lapse(self, tier: int) -> Floats:
        """The chance that a title that falls due is not renewed, the firm's end included."""
        there = self.there(self.days[tier] - REVIEWED_EARLY)
        return np.asarray(1.0 - self.titles.renew[tier] * there)

    def market(self, stage: str) -> Floats:
        """The chance of a step on the capital market: a firm that ends takes none that year."""
        return np.asarray(self.stages[stage] * (1.0 - self.final))


@dataclass(frozen=True, slots=True)
class Happened:
    """What was drawn for one window; days count from 30 June, titles are (tiers, N)."""

    year: int
    exit: Ints  # index into EXITS
    exit_day: Ints
    applied: Bools
    granted: Bools
    reviewed: Bools  # asked for a review of the title that falls due
    renewed: Bools
    revoked: Bools
    revoked_day: Ints
    reform: Bools
    guidance: Bools
    quoted: Bools
    listed: Bools


def chances(world: World, state: State) -> Chances:
    """Return the chances of all that may happen in the year after ``state``."""
    view = View(world, state)
    days = np.array([tier["day"] for tier in world.parameters.ladder])
    closes = np.array([tier["submit"][1] for tier in world.parameters.ladder])
    exits, stages = _exits(world, state, view), _market(world, state, view)
    return Chances(titles(world, state, view), exits, stages, days, closes)


def _exits(world: World, state: State, view: View) -> Floats:
    """Return the chances of default, bankruptcy, closure and leaving: at most one happens."""
    p, n = world.parameters, world.firms
    if state.year < p.whole("time", "first_exits"):
        return np.zeros((4, n))
    rows = np.flatnonzero(world.reporting(state))
    part, size = view.rows(rows), len(rows)
    ones = np.ones(size)
    rate = p.number("distress", "rate") * np.exp(state.stress)
    any_ = filled(score(p.terms("distress"), part, size), ones, rate * size)
    left = filled(score(p.terms("leaving"), part, size), ones, p.number("leaving", "rate") * size)
    rules = p.raw["distress"]["kinds"]
    kinds = np.exp([score(as_terms(rules[kind]), part, size) for kind in EXITS[1:4]])
    shares = [*(any_ * kinds / kinds.sum(axis=0)), (1.0 - any_) * left]
    return np.stack([spread(share, rows, n) for share in shares])


def _market(world: World, state: State, view: View) -> dict[str, Floats]:
    """Return the chances of reform, guidance, quotation and listing of the firms that stay."""
    p, n, standing = world.parameters, world.firms, state.standing
    open_ = world.reporting(state) & ~standing.listed
    cohorts = {
        "reform": open_ & (standing.stage == 0),
        "guidance": open_ & (standing.stage == 1),
        "quoted": open_ & (standing.stage >= 1) & ~standing.quoted,
        "listed": open_ & (standing.stage == 2),
    }
    found = {}
    for stage, cohort in cohorts.items():
        rule, rows = p.raw["capital"][stage], np.flatnonzero(cohort)
        terms, ones = as_terms(rule["terms"]), np.ones(len(rows))
        wanted = places(rule, n, p.whole("size", "reference"), state.year)
        wanted = min(wanted, rule["cap"] * len(rows))
        chance = filled(score(terms, view.rows(rows), len(rows)), ones, wanted)
        found[stage] = spread(chance, rows, n)
    return found


def draw(world: World, state: State, given: Chances, stream: Stream) -> Happened:
    """Draw what happens in the year after ``state``."""
    n = world.firms
    rng = stream("exits")
    bounds = np.cumsum(given.exits, axis=0)
    u = rng.random(n)
    exit_ = np.where(u < bounds[-1], 1 + (u >= bounds).sum(axis=0), 0)
    exit_day = rng.integers(1, WINDOW + 1, n)
    last_day = np.where(exit_ > 1, exit_day, WINDOW + 1)
    market = stream("market")
    steps = {s: (market.random(n) < given.stages[s]) & (exit_ < 2) for s in sorted(given.stages)}
    granted = _titles(world, state, given, last_day, stream)
    reform, guidance, quoted, listed = (steps[s] for s in STEPS)
    return Happened(state.year, exit_, exit_day, *granted, reform, guidance, quoted, listed)


def _titles(
    world: World, state: State, given: Chances, last_day: Ints, stream: Stream
) -> tuple[Bools, Bools, Bools, Bools, Bools, Ints]:
    """Draw who applied, received, asked for review, renewed, lost a title, and on which day.

    A title is revoked only in a year in which its firm applies for nothing and it is not due, so
    that none of the other chances depends on it.
    """
    rng, chance, newest = stream("titles"), given.titles, state.standing.titles
    days, closes = given.days[:, None], given.closes[:, None]
    applied = (rng.random(newest.shape) < chance.apply) & (last_day >= closes)
    granted = applied & (rng.random(newest.shape) < chance.grant) & (last_day >= days)
    due = (newest > 0) & (newest == state.year - 3) & world.present(state)
    there = last_day >= days - REVIEWED_EARLY
    renewed = due & (rng.random(newest.shape) < chance.renew) & there
    asks = rng.random(newest.shape) < world.parameters.number("review", "asks")
    reviewed = renewed | (due & asks & (last_day >= closes))
    day = rng.integers(REVOKED_FROM, WINDOW + 1, len(last_day))
    lost = (rng.random(newest.shape) < chance.revoke) & (last_day > day)
    return applied, granted, reviewed, renewed, lost & ~applied.any(axis=0), day


def settle(state: State, happened: Happened) -> Standing:
    """Return the standing a year later."""
    old, year = state.standing, state.year
    titles = np.where(old.titles == year - 3, 0, old.titles)
    titles = np.where(happened.granted | happened.renewed, year, titles)
    stage = np.where(happened.reform, 1, np.where(happened.guidance, 2, old.stage))
    return replace(
        old,
        titles=np.where(happened.revoked, 0, titles),
        stage=stage,
        quoted=old.quoted | happened.quoted,
        listed=old.listed | happened.listed,
        default_year=np.where(happened.exit == 1, year, old.default_year),
        banned=np.where(happened.revoked.any(axis=0), year, old.banned),
        gone=old.gone | (happened.exit > 1),
    )
