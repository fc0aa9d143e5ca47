"""A sheet as it was found, and the refusal of a file that cannot be read whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tidu.errors import DataError, Issue

__all__ = ["Sheet", "refuse"]


@dataclass(frozen=True)
class Sheet:
    """A sheet: ``headers`` as written, ``cells`` column by column, ``rows`` as the user counts.

    Columns of ``cells`` are numbered; text columns are ``str``, typed ones float64, int64, bool or
    datetime64, mixed ones ``object``.
    """

    name: str
    headers: tuple[str, ...]
    cells: pd.DataFrame
    rows: np.ndarray
    kind: str = "csv"


def refuse(file: str, rule: str, message: str, cure: str, zh: str) -> DataError:
    """Build the error of a file that cannot be read as a whole."""
    issue = Issue("error", rule, message, cure, file=file, zh=zh)
    return DataError(f"{file}: {message}", [issue], cure)
