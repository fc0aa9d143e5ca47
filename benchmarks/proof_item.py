"""What a proof is: a name, a claim, a function that counts, and what must hold of the counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Counts", "Proof", "Skip"]

Counts = Mapping[str, object]


class Skip(Exception):
    """The item cannot be measured here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One item of `benchmarks/proof.py`; `run(sample)` counts, `holds(counts)` judges."""

    name: str
    claim: str
    run: Callable[[bool], Counts]
    holds: Callable[[Counts], bool]
    issue: int

    def __post_init__(self) -> None:
        if not self.name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(
                f"The name of a proof must be letters, digits, - and _, found {self.name!r}."
            )
