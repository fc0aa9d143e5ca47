"""The rivals of the ranking bar: the usual boosters at their defaults, on values with NaN.

Each is called like the baselines of ``model.rivals``: training values, labels, test values, seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from model.forest import Floats
from model.rivals import BASELINES, Baseline

__all__ = ["RIVALS", "catboost", "hist_gradient_boosting", "xgboost"]

THREADS = 2


def catboost(train: Floats, label: Floats, test: Floats, seed: int) -> Floats:
    """CatBoost at its defaults."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        random_seed=seed, thread_count=THREADS, verbose=0, allow_writing_files=False
    )
    model.fit(_bare(train), label)
    return np.asarray(model.predict(_bare(test), prediction_type="RawFormulaVal"), dtype=np.float64)


def xgboost(train: Floats, label: Floats, test: Floats, seed: int) -> Floats:
    """XGBoost at its defaults."""
    from xgboost import XGBClassifier

    model = XGBClassifier(random_state=seed, n_jobs=THREADS).fit(_bare(train), label)
    return np.asarray(model.predict(_bare(test), output_margin=True), dtype=np.float64)


def hist_gradient_boosting(train: Floats, label: Floats, test: Floats, seed: int) -> Floats:
    """scikit-learn's HistGradientBoostingClassifier at its defaults."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    train, test = _bare(train), _bare(test)
    kept = ~np.isnan(train).all(axis=0)  # it fails on a column without any value
    model = HistGradientBoostingClassifier(random_state=seed).fit(train[:, kept], label)
    return np.asarray(model.decision_function(test[:, kept]), dtype=np.float64)


def _bare(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


RIVALS: Mapping[str, Baseline] = MappingProxyType(
    {
        "catboost": catboost,
        "xgboost": xgboost,
        "hist_gradient_boosting": hist_gradient_boosting,
        **BASELINES,
    }
)
"""Every rival of the bar by name."""
