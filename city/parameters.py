"""The numbers of the city: terms of its non-linear scores, read from ``parameters.toml``."""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidu import digest
from tidu.errors import UsageError

__all__ = [
    "Factor",
    "Floats",
    "Parameters",
    "Stream",
    "Term",
    "as_terms",
    "score",
    "sigmoid",
    "streams",
]

Floats = NDArray[np.float64]
Stream = Callable[[str], np.random.Generator]
"""Gives the generator of one aspect ("growth", "exits", …) at one place of the timeline."""


def sigmoid(z: Floats) -> Floats:
    """Return the chance that log-odds ``z`` stand for."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -60.0, 60.0))))


SHAPES: Mapping[str, Callable[[Floats], Floats]] = {
    "above": sigmoid,
    "below": lambda z: sigmoid(-z),
    "rise": lambda z: -np.expm1(-np.maximum(z, 0.0)),
    "hump": lambda z: np.exp(-np.minimum(z * z, 700.0)),
    "bend": np.tanh,
    "plain": lambda z: z,
}


@dataclass(frozen=True, slots=True)
class Factor:
    """One bent variable: ``shape((x - at) / width)``."""

    variable: str
    shape: str
    at: float
    width: float

    def __post_init__(self) -> None:
        if self.shape not in SHAPES or self.width <= 0:
            raise UsageError(
                f"A factor needs one of {', '.join(SHAPES)} and a width > 0, found {self}.",
                "Correct city/parameters.toml.",
            )


@dataclass(frozen=True, slots=True)
class Term:
    """``weight`` times the product of its factors: with several it is an interaction."""

    weight: float
    factors: tuple[Factor, ...]


def score(terms: Sequence[Term], view: Mapping[str, Floats], size: int) -> Floats:
    """Sum the terms over ``size`` firms whose variables are in ``view``."""
    total = np.zeros(size)
    for term in terms:
        product = np.full(size, term.weight)
        for factor in term.factors:
            z = (view[factor.variable] - factor.at) / factor.width
            product *= SHAPES[factor.shape](z)
        total += product
    return total


@dataclass(frozen=True)
class Parameters:
    """The parsed file; ``digest`` names its content, so that it can be locked."""

    raw: Mapping[str, Any]
    digest: str

    @staticmethod
    @cache
    def load() -> Parameters:
        """Read the file that ships with the package."""
        data = (resources.files("city") / "parameters.toml").read_bytes()
        return Parameters(tomllib.loads(data.decode()), digest.of_bytes(data))

    def section(self, name: str) -> Mapping[str, Any]:
        """Return one table of the file."""
        found = self.raw[name]
        assert isinstance(found, Mapping)
        return found

    def number(self, section: str, name: str) -> float:
        return float(self.raw[section][name])

    def whole(self, section: str, name: str) -> int:
        return int(self.raw[section][name])

    def terms(self, section: str, name: str = "terms") -> tuple[Term, ...]:
        return as_terms(self.raw[section][name])

    @property
    def ladder(self) -> Sequence[Mapping[str, Any]]:
        """The tiers, lowest first."""
        tiers: Sequence[Mapping[str, Any]] = self.raw["ladder"]
        return tiers


def as_terms(raw: Sequence[Mapping[str, Any]]) -> tuple[Term, ...]:
    """Read terms as the file writes them: ``{ w = 1.2, of = [[variable, shape, at, width]] }``."""
    return _as_terms(tuple((float(t["w"]), tuple(tuple(f) for f in t["of"])) for t in raw))


@cache
def _as_terms(raw: tuple[tuple[float, tuple[tuple[Any, ...], ...]], ...]) -> tuple[Term, ...]:
    return tuple(
        Term(weight, tuple(Factor(f[0], f[1], float(f[2]), float(f[3])) for f in factors))
        for weight, factors in raw
    )


def streams(seed: int, *place: int) -> Stream:
    """Give every aspect its own generator: no aspect's draws move when another draws more."""

    def of(aspect: str) -> np.random.Generator:
        key = (zlib.crc32(aspect.encode()), *place)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))

    return of
