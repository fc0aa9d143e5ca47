"""The profile of every firm-year against one lazy Polars plan of the same features.

    python -m benchmarks.profile                   1.2 million firm-years
    python -m benchmarks.profile --rows 100000     fewer

Both read their own frame of the same accounts (NaN or null = unknown), use the same fitted peer
reference and end with a matrix or frame of every firm-year; both may use all cores. Runs alternate
in one process. Features made of facts (age, titles, events) are left out on both sides: they hold
at the as-of date, not in every year.

The first run of each is printed apart: it pays for memory that the system hands out for the first
time, which on a virtual machine may take longer than all computing. Polars keeps what it freed for
its next run, so the C library is told to do the same for numpy.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.profile_data import panel
from benchmarks.profile_polars import frames, plan
from features.catalogue import BUILT_IN
from features.firm_years import firm_years
from features.panel import Panel
from features.profile import FeatureMatrix, Profile, observe, specs_for

__all__ = ["APART", "BAR", "Compared", "apart", "compare", "fitted", "main"]

BAR = 2.0
APART = 1e-9
ROWS = 1_200_000
RUNS = 5


@dataclass(frozen=True, slots=True)
class Compared:
    """Median seconds and processor seconds of both sides, and how far their values differ."""

    rows: int
    features: int
    ours: tuple[float, float]
    theirs: tuple[float, float]
    first: tuple[float, float]
    ratio: float
    apart: float
    unknown_differs: int
    gigabytes: float


def fitted(seen: Panel) -> Profile:
    """Every built-in feature that every year can have, with peers fitted on the newest years."""
    specs = [spec for spec in specs_for(seen, "growth") if not spec.expr.facts]
    return Profile.fit(specs, [observe(seen)])


def apart(ours: FeatureMatrix, theirs: pl.DataFrame) -> tuple[float, int]:
    """The greatest difference, relative above 1, and how many are unknown on one side only."""
    worst, unknown = 0.0, 0
    for j, name in enumerate(ours.names):
        one, two = ours.values[:, j], theirs[name].to_numpy().astype("float64")
        unknown += int((np.isnan(one) != np.isnan(two)).sum())
        gaps = np.abs(one - two) / np.fmax(1.0, np.abs(two))
        worst = max(worst, float(np.nanmax(gaps, initial=0.0)))
    return worst, unknown


def compare(rows: int, runs: int = RUNS) -> Compared:
    """Time both sides in turn and compare their values."""
    seen = panel(rows)
    profile = fitted(seen)
    data = frames(seen.tables["annual"], seen.tables["firms"])

    def ours() -> FeatureMatrix:
        return firm_years(profile, seen)

    def theirs() -> pl.DataFrame:
        return plan(data, profile).collect()

    _keep_memory()
    first: list[FeatureMatrix] = []
    second: list[pl.DataFrame] = []
    mine, other = _timed(lambda: first.append(ours())), _timed(lambda: second.append(theirs()))
    worst, unknown = apart(first.pop(), second.pop())
    times: dict[Callable[[], object], list[tuple[float, float]]] = {ours: [], theirs: []}
    for _ in range(runs):
        for side, taken in times.items():
            taken.append(_timed(side))
    pairs = zip(times[ours], times[theirs], strict=True)
    return Compared(
        rows=len(seen.tables["annual"]),
        features=len(profile.specs),
        ours=_medians(times[ours]),
        theirs=_medians(times[theirs]),
        first=(mine[0], other[0]),
        ratio=statistics.median(b[0] / a[0] for a, b in pairs),
        apart=worst,
        unknown_differs=unknown,
        gigabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )


def _keep_memory() -> None:
    """Let glibc keep freed memory for the next run, as the allocator of Polars does."""
    trim_threshold, mmap_max = -1, -4
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(trim_threshold, -1)  # never
        libc.mallopt(mmap_max, 0)


def _timed(side: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    side()
    return time.perf_counter() - wall, time.process_time() - processor


def _medians(times: list[tuple[float, float]]) -> tuple[float, float]:
    walls, processors = zip(*times, strict=True)
    return statistics.median(walls), statistics.median(processors)


def main(arguments: list[str] | None = None) -> int:
    """Print both times, the ratio and the difference; 1 if a bar is not reached."""
    parser = argparse.ArgumentParser(prog="profile", description="Every firm-year, two ways.")
    parser.add_argument("--rows", type=int, default=ROWS, help="about how many firm-years")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each side")
    options = parser.parse_args(arguments or [])
    found = compare(options.rows, options.runs)
    left_out = len(BUILT_IN) - found.features
    print(f"{found.rows} firm-years, {found.features} features ({left_out} of facts left out)")
    for name, (wall, processor) in (("tidu", found.ours), ("polars", found.theirs)):
        print(f"{name:<8} {wall:6.2f} s, processor {processor:6.2f} s")
    print(f"ratio    {found.ratio:6.2f} (bar {BAR}), processor "
          f"{found.theirs[1] / found.ours[1]:.2f}")  # fmt: skip
    print(f"first    {found.first[0]:6.2f} s tidu, {found.first[1]:.2f} s polars, in fresh memory")
    print(f"apart    {found.apart:.1e} (bar {APART}), unknown on one side: {found.unknown_differs}")
    print(f"memory   {found.gigabytes:.1f} GiB at most, both sides and their input")
    good = found.ratio >= BAR and found.apart <= APART and not found.unknown_differs
    return 0 if good else 1


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
