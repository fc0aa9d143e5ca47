"""Leaks on a real set: none as it is, and one when two sources are stitched together."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_city import done

from model.leakage import Finding, inspect
from model.leakage_evidence import evidence
from serving.workspace import Workspace

BLOCK = ["current_ratio", "inventory_turnover"]
DAY = date(2025, 6, 30)


def findings(home: Path, file: Path, root: Path, task: str) -> tuple[Finding, ...]:
    done(home, "import", file, "--mapping", root / "examples" / "cn_neeq.toml")
    workspace = Workspace(home)
    history = workspace.history()
    return inspect(evidence(history, workspace.task(task, history), DAY))


def stitched(shared_data: Path, to: Path) -> Path:
    """The set as two sources would make it: of most firms that will list, one lacks a block."""
    rows = pd.read_csv(shared_data / "cn_neeq_firm_year.csv.gz", dtype=str)
    later = rows.loc[rows["bse_listing_date"].notna(), "firm_id"].unique()
    other = np.setdiff1d(rows["firm_id"].unique(), later)
    rng = np.random.default_rng(0)
    lacking = {*rng.choice(later, int(0.7 * len(later)), replace=False)}
    lacking |= {*rng.choice(other, int(0.03 * len(other)), replace=False)}
    rows.loc[rows["firm_id"].isin(lacking), BLOCK] = np.nan
    rows.to_csv(to, index=False)
    return to


@pytest.mark.slow
@pytest.mark.parametrize("task", ["listing@24", "growth@24"])
def test_the_real_set_holds_no_column_that_knows_the_future(
    home: Path, shared_data: Path, root: Path, task: str
) -> None:
    found = findings(home, shared_data / "cn_neeq_firm_year.csv.gz", root, task)
    assert len(found) >= 20
    assert not [f for f in found if f.flagged]


@pytest.mark.slow
def test_two_sources_stitched_together_are_found(
    home: Path, shared_data: Path, root: Path, tmp_path: Path
) -> None:
    file = stitched(shared_data, tmp_path / "cn_neeq_firm_year.csv")
    found = [f for f in findings(home, file, root, "listing@24") if f.flagged]
    assert {f.test for f in found} == {"missing"}
    assert {column for f in found for column in f.columns} == set(BLOCK)
