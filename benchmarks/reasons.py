"""Reasons in batch against `shap.TreeExplainer`, both with all cores, set-up counted.

    python -m benchmarks.reasons                  a bag of 16 x 250 trees x 8 leaves, 120 features
    python -m benchmarks.reasons --bundle DIR     a served bundle
    python -m benchmarks.reasons --full           shap explains every row, too (minutes)

Both begin with the text of the model and end with contributions. Without `--full` shap is timed on
part of the rows and on a quarter of that part; its set-up counts once and the cost of a row, which
is the same for every row, is scaled up.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from model import shapley
from model.boosters import Additive, Sample, grow
from model.trees import merge

__all__ = ["main"]

BAR = 8.0
APART = 1e-4


def bag(members: int, rounds: int, features: int) -> Additive:
    """Grow a bag as recipes do: few leaves, few columns a tree, half of it with random cuts."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2000, features))
    values[rng.random(values.shape) < 0.15] = np.nan
    signal = np.nan_to_num(values[:, : features // 4]) @ rng.normal(size=features // 4)
    target = (signal + 4 * rng.normal(size=len(values)) > 5).astype(float)
    sample = Sample(values, target, tuple(f"f{i}" for i in range(features)))
    params = {
        "objective": "binary",
        "num_leaves": 8,
        "learning_rate": 0.03,
        "feature_fraction": 0.35,
        "lambda_l2": 10,
        "path_smooth": 5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "num_threads": 1,
    }
    texts = [
        grow(sample, {**params, "extra_trees": seed % 2 == 1}, rounds, seed)
        for seed in range(members)
    ]
    return Additive(sample.names, merge(texts))


def rows_for(model: Additive, count: int) -> np.ndarray:
    """Draw rows over the ranges that training saw, with one value in eight missing."""
    rng = np.random.default_rng(1)
    values = np.empty((count, len(model.names)), order="F")
    for column, bounds in enumerate(model.forest.ranges):
        low, high = bounds or (0.0, 1.0)
        values[:, column] = rng.uniform(low, high, count)
    values[rng.random(values.shape) < 0.125] = np.nan
    return values


def ours(model: Additive, values: np.ndarray) -> np.ndarray:
    """Explain from the text on: a new model knows nothing of an earlier set-up."""
    return shapley.contributions(Additive(model.names, model.text), values)


def theirs(model: Additive, values: np.ndarray) -> np.ndarray:
    """Explain with the shap package, which sees the trees (linear terms need no explainer)."""
    import shap

    explainer = shap.TreeExplainer(lightgbm.Booster(model_str=model.text))
    found = explainer.shap_values(values)
    return np.column_stack([found, np.full(len(values), explainer.expected_value)])


def woodelf(model: Additive, values: np.ndarray) -> np.ndarray | None:
    """Explain with woodelf-explainer, where somebody installed it; for information only."""
    try:
        from woodelf import WoodelfExplainer
    except ImportError:
        return None
    frame = pd.DataFrame(values, columns=list(model.names))
    explainer = WoodelfExplainer(lightgbm.Booster(model_str=model.text))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return np.asarray(explainer.shap_values(frame))


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of wall clock and of processor."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def peak(call: Callable[[], object]) -> float:
    """Return the most memory that a call holds at once, its result included, in MB."""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def scaled(quarter: float, whole: float, part: int, rows: int) -> float:
    """Return the time for all rows: set-up once, and the cost of a row as between two sizes."""
    if part == rows:
        return whole
    return whole + (whole - quarter) / (part - part // 4) * (rows - part)


def report(model: Additive, rows: int, runs: int, part: int) -> None:
    """Compare in alternating runs and print the median ratio against the bar."""
    leaves = model.forest.leaves
    print(
        f"model: {len(leaves)} trees, up to {leaves.max()} leaves, {len(model.names)} features, "
        f"{len(model.linear)} linear terms; {rows} rows"
    )
    values = rows_for(model, rows)
    trees = Additive(model.names, model.text)
    found = ours(trees, values)
    print(
        f"memory: {peak(lambda: ours(trees, values)):.0f} MB at most, "
        f"{found.nbytes / 2**20:.0f} MB of it the result; "
        f"residual {shapley.residual(trees, values, found):.1e}",
        flush=True,
    )
    few = values[:part]
    wanted = theirs(trees, few)
    apart = float(np.abs(found[:part] - wanted).max())
    ratios = []
    for run in range(runs):
        us, them = timed(lambda: ours(trees, values)), timed(lambda: theirs(trees, few))
        fewer = timed(lambda: theirs(trees, few[: part // 4])) if part < rows else them
        wall, processor = (scaled(a, b, part, rows) for a, b in zip(fewer, them, strict=True))
        ratios.append(wall / us[0])
        how = f"a quarter of them {fewer[0]:.2f} s ({fewer[1]:.2f} s)" if part < rows else "all"
        print(
            f"run {run + 1}: tidu {us[0]:.2f} s ({rows / us[0]:.0f} rows/s, processor "
            f"{us[1]:.2f} s); shap {part} rows {them[0]:.2f} s (processor {them[1]:.2f} s), {how}, "
            f"hence {rows} rows {wall:.0f} s ({processor:.0f} s); ratio {ratios[-1]:.1f} "
            f"(of processor time {processor / us[1]:.1f})",
            flush=True,
        )
    ratio = statistics.median(ratios)
    verdict = "reached" if ratio >= BAR and apart <= APART else "NOT reached"
    print(
        f"median ratio {ratio:.1f} (bar {BAR:.0f}), {apart:.1e} apart (bar {APART:.0e}): {verdict}"
    )
    other = woodelf(trees, few)
    if other is not None:
        seconds = timed(lambda: woodelf(trees, values))[0]
        print(
            f"for information: woodelf {seconds:.2f} s ({rows / seconds:.0f} rows/s), "
            f"{np.abs(other[:, : len(model.names)] - found[:part, :-1]).max():.1e} apart"
        )


def main(arguments: Sequence[str] = ()) -> None:
    """Measure; without arguments the bag that the design states."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, help="directory of a bundle to explain")
    parser.add_argument("--members", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=250)
    parser.add_argument("--features", type=int, default=120)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--part", type=int, default=2_000, help="rows that shap is timed on")
    parser.add_argument("--full", action="store_true", help="time shap on all rows")
    options = parser.parse_args(arguments)
    if options.bundle is None:
        model = bag(options.members, options.rounds, options.features)
    else:
        from model.bundle import load

        model = load(options.bundle).model
    part = options.rows if options.full else min(options.part, options.rows)
    report(model, options.rows, options.runs, part)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
