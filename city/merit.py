"""Who applies for titles, who receives, renews and loses them: chances by the edition in force.

A batch is judged by the edition in force on the day on which its submissions open. A tier's places
are a parameter: the intercept is solved so that expected titles equal places, hence a chance
depends on the field of applicants too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from city.parameters import Floats, Term, as_terms, score, sigmoid
from city.state import Bools, State, View, World

__all__ = [
    "BAN",
    "EARLIER",
    "Titles",
    "day_of",
    "edition_of",
    "filled",
    "merit_terms",
    "places",
    "spread",
    "titles",
]

EARLIER = "earlier"
"""The edition before the first that is named: its titles carry no edition."""

BAN = 3  # years without applications after a title was revoked


@dataclass(frozen=True, slots=True)
class Titles:
    """Chances of the year after a 30 June, each (tiers, N), for firms that live through it."""

    apply: Floats
    grant: Floats  # given an application
    renew: Floats  # given that the title falls due
    revoke: Floats


def day_of(year: int, days: NDArray[np.int64] | int) -> NDArray[np.datetime64]:
    """Return the date ``days`` after 30 June of ``year``."""
    return np.asarray(np.datetime64(f"{year}-06-30") + np.asarray(days))


def edition_of(world: World, rule: Mapping[str, Any], year: int) -> str:
    """Return the edition that judges a tier's batch of the year after 30 June of ``year``."""
    opens, switch = str(day_of(year, int(rule["submit"][0]))), world.plants.switch
    for since, name in rule["editions"]:
        first = str(switch) if switch is not None and name == "2026" else since
        if opens >= first:
            return str(name)
    return EARLIER


def merit_terms(world: World, rule: Mapping[str, Any], year: int) -> tuple[Term, ...]:
    """Return what counts for a tier in the batch of the year after 30 June of ``year``."""
    terms = as_terms(rule["merit"][edition_of(world, rule, year)])
    drift = world.plants.drift
    if drift is None or year < drift:
        return terms
    turned = [term.weight for term in reversed(terms)]
    return tuple(Term(w, term.factors) for w, term in zip(turned, terms, strict=True))


def titles(world: World, state: State, view: View) -> Titles:
    """Return all chances of titles in the year after ``state``."""
    p, n = world.parameters, world.firms
    held = state.standing.titles > 0
    barred = (state.standing.banned > 0) & (state.year <= state.standing.banned + BAN)
    able = world.reporting(state) & ~barred
    apply, grant = [], []
    for tier, rule in enumerate(p.ladder):
        may = able & ~held[tier:].any(axis=0) & (view["age"] >= rule["min_age"])
        if tier:
            may &= held[tier - 1]
        rows = np.flatnonzero(may)
        part = view.rows(rows)
        wish = sigmoid(score(as_terms(rule["apply"]), part, len(rows)))
        wanted = places(rule, n, p.whole("size", "reference"), state.year)
        wanted = min(wanted, rule["cap"] * float(wish.sum()))
        merit = score(merit_terms(world, rule, state.year), part, len(rows))
        chance = filled(merit + _bias(world, rows), wish, wanted)
        apply.append(spread(wish if wanted else 0 * wish, rows, n))
        grant.append(spread(chance, rows, n))
    return Titles(np.stack(apply), np.stack(grant), *_kept(world, state, view))


def _kept(world: World, state: State, view: View) -> tuple[Floats, Floats]:
    """Return the chances that a title that is due is renewed, and that another is revoked.

    A firm that holds a higher title keeps the lower ones; only the highest may be revoked.
    """
    p, newest = world.parameters, state.standing.titles
    held, due = newest > 0, newest == state.year - 3
    here = world.present(state)
    renew, revoke = np.zeros(newest.shape), np.zeros(newest.shape)
    for tier, rule in enumerate(p.ladder):
        higher: Bools = np.any(held[tier + 1 :], axis=0)
        rows = np.flatnonzero(due[tier] & here)
        chance = sigmoid(score(as_terms(rule["renew"]), view.rows(rows), len(rows)))
        renew[tier, rows] = np.where(higher[rows], 1.0, chance)
        rows = np.flatnonzero(held[tier] & ~due[tier] & ~higher & here)
        fault = np.exp(score(p.terms("revocation"), view.rows(rows), len(rows)))
        revoke[tier, rows] = np.minimum(p.number("revocation", "rate") * fault, 0.5)
    return renew, revoke


def _bias(world: World, rows: NDArray[np.int64]) -> Floats:
    """Return what a planted bias adds to the log-odds of the firms of its district."""
    if world.plants.district is None:
        return np.zeros(len(rows))
    names = [place["name"] for place in world.parameters.raw["place"]["districts"]]
    there = world.traits.district[rows] == names.index(world.plants.district)
    return np.where(there, np.log(world.plants.factor), 0.0)


def places(rule: Mapping[str, Any], firms: int, reference: int, year: int) -> float:
    """Return how many a year may expect in a city of ``firms``: more firms, fewer places each."""
    if year < rule["since"]:
        return 0.0
    growth = float(rule.get("growth", 0.0))
    size = (firms / reference) ** float(rule["power"])
    return float(rule["places"]) * float(size) * (1 + growth) ** (year - 2020)


def filled(scores: Floats, weight: Floats, wanted: float) -> Floats:
    """Return ``sigmoid(scores + c)`` with c such that the weighted sum is ``wanted`` (Newton)."""
    if wanted <= 0 or not len(scores):
        return np.zeros(len(scores))
    top = float(scores.max())
    c = np.log(wanted) - np.log(np.sum(weight * np.exp(scores - top))) - top
    for _ in range(60):
        p = sigmoid(scores + c)
        miss = float(np.sum(weight * p) - wanted)
        if abs(miss) < 1e-9 * wanted:
            break
        c -= np.clip(miss / max(float(np.sum(weight * p * (1 - p))), 1e-12), -2.0, 2.0)
    return sigmoid(scores + c)


def spread(values: Floats, rows: NDArray[np.int64], size: int) -> Floats:
    whole = np.zeros(size)
    whole[rows] = values
    return whole
