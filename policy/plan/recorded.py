"""Whether anything is on record that a reward rests on: no rows are no data, never a zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from features.facts import covered
from features.panel import Panel
from policy.plan.result import Note, PlanRow, Result
from policy.plan.scopes import SCOPES

__all__ = ["NO_DATA", "or_no_data", "recorded"]

NO_DATA = Note(
    "无数据:尚未导入本项所依据的资料", "No data: what this rests on has not been imported"
)


def or_no_data(result: Result, row: PlanRow, panel: Panel) -> Result:
    """The result, or one without figures where nothing is on record.

    Ceilings rest on the plan alone and stay.
    """
    if recorded(row, panel):
        return result
    totals = {k: v if k.startswith("ceiling_") else None for k, v in result.totals.items()}
    return replace(result, totals=totals, notes=(*result.notes, NO_DATA))


def recorded(row: PlanRow, panel: Panel) -> bool:
    """Whether some record, or some coverage, bears on a row of kind reward."""
    detail = row.details["reward"]
    return _FORMS[str(detail["form"])](panel, detail)


def _titles(panel: Panel, detail: Mapping[str, Any]) -> bool:
    tiers = detail.get("tiers", SCOPES["all"])
    held = panel.tables["titles"]["tier"].isin(tiers).any()
    return bool(held) or any(covered(panel, f"title:{tier}") for tier in tiers)


def _moved(panel: Panel, detail: Mapping[str, Any]) -> bool:
    del detail
    return bool(panel.firms[["city_in_on", "whole_relocation"]].notna().any(axis=None))


def _granted(panel: Panel, detail: Mapping[str, Any]) -> bool:
    return any(_evidence(panel, grant) for grant in detail["grants"])


def _evidence(panel: Panel, grant: Mapping[str, Any]) -> bool:
    tables = panel.tables
    if "attested" in grant:
        return bool((tables["attestations"]["criterion"] == grant["attested"]).any())
    if "column" in grant:
        return bool(tables["annual"][grant["column"]].notna().any())
    dated = any(panel.firms[name].notna().any() for name in grant.get("dates", ()))
    return dated or any(_event(panel, kind) for kind in grant["events"])


def _event(panel: Panel, kind: str) -> bool:
    return bool((panel.tables["events"]["kind"] == kind).any()) or covered(panel, kind)


def _in_park(panel: Panel, detail: Mapping[str, Any]) -> bool:
    return _event(panel, detail["event"])


def _trained(panel: Panel, detail: Mapping[str, Any]) -> bool:
    return bool(panel.tables["activities"][detail["column"]].notna().any())


def _awarded(panel: Panel, detail: Mapping[str, Any]) -> bool:
    del detail
    return len(panel.tables["awards"]) > 0


_FORMS: Mapping[str, Callable[[Panel, Mapping[str, Any]], bool]] = {
    "title": _titles,
    "stacking": _titles,
    "service": _titles,
    "relocation": _moved,
    "grants": _granted,
    "rent": _in_park,
    "electricity": _in_park,
    "institution": _trained,
    "match": _awarded,
}
