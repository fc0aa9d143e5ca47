"""Values and rows of tables as JSON knows them: what is missing is null, dates are ISO."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

__all__ = ["cells", "plain"]


def cells(record: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of a table as JSON knows it."""
    return {str(name): plain(value) for name, value in record.items()}


def plain(value: Any) -> Any:
    """A value as JSON knows it; what is missing is null."""
    if isinstance(value, Mapping | list | tuple | np.ndarray):
        return cells(value) if isinstance(value, Mapping) else [plain(v) for v in value]
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return value.isoformat()[:10] if value == value else None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return None if value != value else str(value)
