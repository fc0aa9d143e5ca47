"""Write a city to a folder: one file per table, and the truth apart from them.

Headers are the register's own names, so no renaming is needed to import them. Corrections are a
second delivery of ``annual`` (a key may stand once in a file): import them after it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd

from city import City
from features.schema import register

__all__ = ["DELIVERIES", "read_truth", "write"]

DELIVERIES = (
    *("firms", "annual", "annual_corrections", "titles", "applications", "events", "materials"),
    *("credit", "attestations", "awards", "activities"),
)
"""What is imported, in the order in which it may be."""


TRUTH = Path("truth") / "truth.parquet"


def write(city: City, folder: Path, kind: Literal["csv", "parquet"] = "csv") -> dict[str, Path]:
    """Write all tables into ``folder``; return the path of each, ``truth`` among them."""
    folder.mkdir(parents=True, exist_ok=True)
    deliveries = dict(city.tables) | {"annual_corrections": city.corrections}
    paths = {name: folder / f"{name}.{kind}" for name in deliveries}
    for name, table in deliveries.items():
        shown = _shown(name.removesuffix("_corrections"), table)
        if kind == "csv":
            shown.to_csv(paths[name], index=False, date_format="%Y-%m-%d", lineterminator="\n")
        else:
            shown.to_parquet(paths[name], index=False)
    paths["truth"] = folder / TRUTH
    paths["truth"].parent.mkdir(exist_ok=True)
    city.truth.to_parquet(paths["truth"], index=False)
    return paths


def read_truth(folder: Path) -> pd.DataFrame:
    """Read back what :func:`write` put beside the tables: firm_id, as_of, task, probability."""
    return pd.read_parquet(folder / TRUTH)


def _shown(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Write counts, years and yes/no as whole numbers: 3, not 3.0."""
    columns = register().tables[name].columns
    whole = [c.name for c in columns.values() if c.name in table and c.dtype in ("int", "bool")]
    return table.astype(dict.fromkeys(whole, "Int64"))
