"""The evaluation report as one HTML page that stands alone: no script, no network, printable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

__all__ = ["evaluation_html"]

NAMES = {"tidu": "Tidu", "best_ratio": "最佳单一指标 best ratio", "scorecard": "评分卡 scorecard"}


def evaluation_html(report: Mapping[str, Any]) -> str:
    """Render what ``Evaluation.as_json`` gives; texts of the data are escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["shown"] = _shown
    environment.filters["ratio"] = _ratio
    text = (resources.files("model") / "report.html").read_text(encoding="utf-8")
    models = [("tidu", report["metrics"])]
    blank = {"brier": None, "ece": None}
    models += [(name, blank | values) for name, values in report["baselines"].items()]
    bins = report["calibration"]
    top = max([b["chance"] for b in bins] + [b["rate"] for b in bins] + [0.01])
    return environment.from_string(text).render(r=report, models=models, names=NAMES, top=top)


def _shown(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.3f}"


def _ratio(triple: Mapping[str, float | None]) -> str:
    """A ratio with its interval; a side that nothing bounds is open."""
    value, low, high = (triple[name] for name in ("value", "low", "high"))
    shown = ["–" if v is None else f"{v:.2f}" for v in (value, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2] if high is not None else '∞'}]"
