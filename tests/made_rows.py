"""Rows of a history from plain dictionaries, with the types of the register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from features.panel import Rows
from features.schema import register

__all__ = ["rows_of_tables"]

KINDS = {"int": "float64", "float": "float64", "bool": "float64", "date": "datetime64[s]"}


def rows_of_tables(**tables: Sequence[Mapping[str, object]]) -> dict[str, Rows]:
    """Each table's rows, every one with its own ``known_on``, of one import."""
    rows = {}
    for name, found in tables.items():
        columns = register().tables[name].columns
        frame = pd.DataFrame(found)
        for column in frame:
            kind = columns[column].dtype if column in columns else "date"
            frame[column] = frame[column].astype(KINDS.get(kind, "str"))
        if "year" in frame:
            frame["year"] = frame["year"].astype("int64")
        frame = frame.assign(known_inferred=False, seq=1)
        rows[name] = Rows.build(frame, register().tables[name].key)
    return rows
