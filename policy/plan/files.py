"""The plans on file: those of the package, and further ones of the city."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from policy.law import CitySettings
from policy.plan.rows import Plan, parse
from policy.plan.settings import Settings
from policy.plan.stages import Definition, definition
from policy.problems import Problems
from tidu.errors import DataError, Issue

__all__ = ["check_rows", "load_plans", "plans_of", "stage_definition"]


def load_plans(city: Path | None = None) -> Mapping[str, Plan]:
    """All plans by id; ``city`` may hold folders of its own. One id twice is an error."""
    plans = dict(_shipped())
    issues = []
    for folder in sorted(city.iterdir()) if city is not None and city.is_dir() else ():
        if not folder.is_dir():
            continue
        texts = {p.name: p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.toml"))}
        plan = parse(texts, f"plan/{folder.name}")
        if plan.id in plans:
            issues.append(
                Issue(
                    "error",
                    "plan",
                    "A plan's id must be its own.",
                    "Give the successor another id.",
                    file=f"plan/{folder.name}/plan.toml",
                    column="id",
                    value=plan.id,
                )
            )
        plans[plan.id] = plan
    if issues:
        raise DataError("Two plans have one id.", issues, "Rename one of them.")
    return plans


def check_rows(plans: Mapping[str, Plan], city: CitySettings) -> None:
    """Refuse what the city has set for rows that no plan has; all such rows at once."""
    problems = Problems("policy/city.toml")
    known = {row.id for plan in plans.values() for row in plan.rows}
    named = [(f"tasks.{name}", name) for name in city.tasks]
    named += [(f"reviews.{name}", name) for name in city.reviews]
    for key, name in named:
        if name not in known:
            problems.add(key, f"{name} is no row of a plan.", "tidu plan lists the rows.")
    problems.refuse("The city's file")


@cache
def _shipped() -> Mapping[str, Plan]:
    plans = {}
    for folder in (resources.files("policy") / "data" / "plan").iterdir():
        files = [f for f in folder.iterdir() if f.name.endswith(".toml")]
        texts = {f.name: f.read_text(encoding="utf-8") for f in files}
        plan = parse(texts, f"policy/data/plan/{folder.name}")
        plans[plan.id] = plan
    return plans


def plans_of(content: Mapping[str, bytes]) -> Mapping[str, Plan]:
    """The plans among the files of a law, as they were when it judged."""
    folders: dict[str, dict[str, str]] = {}
    for name, text in content.items():
        parts = name.split("/")
        if parts[0] == "plan" and len(parts) == 3:
            folders.setdefault(parts[1], {})[parts[2]] = text.decode()
    found = [parse(texts, f"plan/{name}") for name, texts in sorted(folders.items())]
    return {plan.id: plan for plan in found}


def stage_definition(settings: Settings) -> Definition:
    """How firms are told apart as 提升, 培育 and 储备, by the package's data."""
    file = resources.files("policy") / "data" / "stages.toml"
    return definition(tomllib.loads(file.read_text(encoding="utf-8")), settings)
