"""Size classes (划型): micro 0, small 1, medium 2, large 3; a range where figures are missing.

A class needs all its lower bounds; a firm that misses one falls to the class below.
Source: 工信部联企业〔2011〕300号; the bounds are data.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from policy.law import Law

__all__ = ["CLASSES", "size_range"]

Floats = NDArray[np.float64]

CLASSES = ("micro", "small", "medium", "large")


def size_range(law: Law, measures: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the least and the greatest class that fits what is known of each firm.

    ``measures`` has the columns industry, employees, revenue, total_assets, one row a firm.
    """
    low, high = np.zeros(len(measures)), np.full(len(measures), 3.0)
    industry = measures["industry"].to_numpy(dtype=object)
    for name, bounds in law.sizes.items():
        rows = np.flatnonzero(industry == name)
        if not len(rows):
            continue
        high[rows] = 0.0
        for size in range(3):
            sure, possible = np.ones(len(rows), bool), np.ones(len(rows), bool)
            for measure, limits in bounds.items():
                values = measures[measure].to_numpy(dtype="float64")[rows]
                sure &= values >= limits[size]
                possible &= (values >= limits[size]) | np.isnan(values)
            low[rows] = np.where(sure, size + 1.0, low[rows])
            high[rows] = np.where(possible, size + 1.0, high[rows])
    return low, high
