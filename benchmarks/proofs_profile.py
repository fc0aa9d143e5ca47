"""The bar "profile build": as fast as twice one lazy Polars plan, with equal values."""

from __future__ import annotations

from benchmarks.profile import APART, BAR, ROWS, compare
from benchmarks.proof_item import Counts, Proof

__all__ = ["PROOFS"]

SAMPLE_ROWS = 60_000


def profile(sample: bool) -> Counts:
    """Seconds of both sides, their ratio, and how far their values differ."""
    found = compare(SAMPLE_ROWS if sample else ROWS, 1 if sample else 5)
    return {
        "firm-years": found.rows,
        "features": found.features,
        "tidu s": round(found.ours[0], 2),
        "polars s": round(found.theirs[0], 2),
        "ratio": round(found.ratio, 2),
        "apart": found.apart,
        "unknown on one side": found.unknown_differs,
    }


def _holds(counts: Counts) -> bool:
    """A sample is too short to time; it shows that both sides compute the same."""
    same = float(str(counts["apart"])) <= APART and counts["unknown on one side"] == 0
    timed = int(str(counts["firm-years"])) > 10 * SAMPLE_ROWS
    return same and (not timed or float(str(counts["ratio"])) >= BAR)


PROOFS = [
    Proof(
        "profile",
        "1.2 million firm-years of every built-in feature, peers included, at least twice as fast"
        " as one lazy Polars plan, values equal to 1e-9",
        profile,
        holds=_holds,
        issue=2,
    )
]
