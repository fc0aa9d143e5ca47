"""A prepared import: checked tables in canonical units, ready for the vault, or all its errors."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from features.checks import check_bounds, check_codes, check_duplicates, check_keys, check_rules
from features.draft import Draft, Finding, Place
from features.known import default_rule, stamp
from features.mapping import KnownOn, Mapping, OutcomeRule
from features.mapping_apply import Applied, apply
from features.reading import Reading, read
from features.schema import Column, fold, register
from features.typed import texts
from tidu.errors import DataError, Issue

__all__ = ["Prepared", "checked", "prepare"]

WHOLE = Column("any", "whole", "整数", "Whole number", "int")
DATE = Column("any", "date", "日期", "Date", "date")
NUMBER = Column("any", "number", "数值", "Number", "float")


@dataclass(frozen=True)
class Prepared:
    """What the vault keeps: the digest of the file's bytes, the mapping, tables and warnings.

    Tables hold the columns that the file brought, then ``known_on`` and ``known_inferred``.
    """

    content: str
    mapping: Mapping
    tables: AbstractMapping[str, pd.DataFrame]
    warnings: tuple[Issue, ...]


def prepare(file: Path, mapping: Mapping, today: date) -> Prepared:
    """Read, map and check ``file``; raises DataError with every issue if one is an error."""
    _permitted(mapping, today, file.name)
    return checked(read(file), mapping, today)


def checked(reading: Reading, mapping: Mapping, today: date) -> Prepared:
    """Map and check what was read; raises DataError with every issue if one is an error."""
    applied, issues = apply(reading, mapping)
    drafts: list[Draft] = []
    for one in applied:
        drafts += _finish(one, mapping, today)
        issues += one.issues
    drafts, repeated = _joined(drafts)
    issues += repeated
    issues.sort(key=lambda issue: (issue.level != "error", issue.sheet, issue.row or 0))
    errors = sum(issue.level == "error" for issue in issues)
    if errors:
        raise _refusal(reading.file, issues, errors)
    if not drafts or not any(len(draft.frame) for draft in drafts):
        finding = Finding(
            "no_rows",
            "The file must hold rows, found none that the mapping keeps",
            "Check the file and the mapping.",
            "文件中没有可导入的数据行",
        )
        raise _refusal(reading.file, [*issues, Place(reading.file).issue("error", finding)], 1)
    tables = {draft.rule.table: _ordered(draft.frame, draft.rule.table) for draft in drafts}
    return Prepared(reading.content, mapping, tables, tuple(issues))


def _refusal(file: str, issues: list[Issue], errors: int) -> DataError:
    rest = len(issues) - errors
    first = next(issue for issue in issues if issue.level == "error")
    return DataError(
        f"{file} must be free of errors to be imported, found {errors}"
        f"{f' and {rest} warnings' if rest else ''}; the first: {first}",
        issues,
        "Nothing was imported. Correct the file or the mapping and import again.",
    )


def _permitted(mapping: Mapping, today: date, file: str) -> None:
    until = mapping.source.valid_until
    if until is not None and until < today:
        finding = Finding(
            "source_expired",
            f"The data of {mapping.source.authority} may be used until {until}, today is {today}",
            "Renew the legal basis and the date in the mapping's [source].",
            f"数据使用授权已于{until}到期",
        )
        raise _refusal(file, [Place(file).issue("error", finding)], 1)


def _finish(one: Applied, mapping: Mapping, today: date) -> list[Draft]:
    """Checks and clocks of one table; a row-labelled annual table brings its outcomes along."""
    draft, outcome = one.draft, mapping.outcome
    if any(k not in draft.frame for k in register().tables[draft.rule.table].key):
        return []
    if outcome is not None and draft.rule.table == "firms" and outcome.group:
        draft.frame["split_group"] = _groups(one, outcome)
    wanted = draft.rule.known_on or default_rule(draft.rule.table)
    named = _sources(one, wanted)
    for name in draft.rule.drop_missing:
        if name in draft.frame:
            kept = draft.frame[name].notna().to_numpy()
            named = named[kept].reset_index(drop=True)
            draft.keep(kept)
    outcomes = []
    if outcome is not None and draft.rule.table == "annual":
        outcomes = [_outcomes(one, outcome, mapping, today)]
    draft.frame = pd.concat([draft.frame, named.add_prefix("source ")], axis=1)
    # A key that could not be read was reported where it stands; it is not missing besides.
    one.issues += [i for i in check_keys(draft) if (i.row, i.column) not in one.unread]
    one.issues += check_duplicates(draft)
    named = draft.frame[[c for c in draft.frame if str(c).startswith("source ")]]
    draft.frame = draft.frame.drop(columns=named.columns)
    one.issues += check_bounds(draft, mapping)
    one.issues += check_codes(draft, mapping)
    stamp(draft, mapping, today, named.rename(columns=lambda c: str(c).removeprefix("source ")))
    one.issues += check_rules(draft, today)
    return [draft, *outcomes]


def _sources(one: Applied, rule: KnownOn) -> pd.DataFrame:
    """The source columns that a known_on rule names, typed, row by row."""
    found = pd.DataFrame(index=one.draft.frame.index)
    for header, spec in ((rule.column, DATE), (rule.plus_column, WHOLE)):
        if header:
            values = one.source(header, spec)
            found[header] = np.nan if values is None else values.to_numpy()
    return found


def _groups(one: Applied, outcome: OutcomeRule) -> pd.Series:
    """The group to split by, as text; empty (the firm itself) where a part is unknown."""
    parts = []
    unknown = np.zeros(len(one.draft.frame), dtype=bool)
    for part in outcome.group:
        if part.minus:
            left, right = one.source(part.column, NUMBER), one.source(part.minus, NUMBER)
            text = texts(left - right) if left is not None and right is not None else None
        else:
            cells = one.cells(part.column)
            text = None if cells is None else texts(cells).str.strip()
        if text is None:
            one.issues.append(one.no_column(part.column))
            return pd.Series("", index=one.draft.frame.index, dtype="str")
        unknown |= (text == "").to_numpy(dtype=bool)
        parts.append(text)
    joined = parts[0]
    for text in parts[1:]:
        joined = joined + "|" + text
    return joined.mask(unknown, "").astype("str")


def _outcomes(one: Applied, outcome: OutcomeRule, mapping: Mapping, today: date) -> Draft:
    """The outcomes of an annual table; rows whose outcome is unknown bring none."""
    rule = replace(one.draft.rule, table="outcomes", known_on=outcome.known_on, dedupe=False)
    frame = one.draft.frame[["firm_id", "year"]].copy()
    labels = {**one.draft.labels, "outcome": one.header(outcome.column)}
    draft = Draft(one.place, rule, frame, one.draft.rows, labels)
    cells = one.cells(outcome.column)
    if cells is None:
        finding = Finding(
            "no_outcome",
            f"The outcome column {outcome.column!r} is not in the file: its rows can be scored,"
            " not learned from",
            "Nothing, or add the column.",
            f"文件没有结果列“{outcome.column}”,只能评分,不能用于训练",
        )
        one.issues.append(one.place.issue("warning", finding, outcome.column))
        frame["outcome"] = np.nan
    else:
        frame["outcome"] = _labels(one, draft, texts(cells), outcome)
    source = _sources(one, outcome.known_on)
    kept = frame.notna().all(axis=1).to_numpy()
    draft.keep(kept)
    stamp(draft, mapping, today, source[kept].reset_index(drop=True))
    return draft


def _labels(one: Applied, draft: Draft, text: pd.Series, outcome: OutcomeRule) -> pd.Series:
    folded = text.map(fold)
    positive = folded.isin([fold(p) for p in outcome.positive])
    negative = folded.isin([fold(n) for n in outcome.negative]) & ~positive
    known = (folded != "").to_numpy(dtype=bool)
    if outcome.negative:
        odd = known & ~(positive | negative).to_numpy(dtype=bool)
        listed = ", ".join((*outcome.positive, *outcome.negative))
        finding = Finding(
            "unlisted_code",
            f"An outcome must be one of {listed}",
            "Correct the value, or list it in the mapping's [outcome].",
            f"结果应为{listed}之一",
        )
        at = np.flatnonzero(odd)
        one.issues += draft.issues("error", finding, "outcome", at, text.iloc[at])
    return positive.astype("float64").where(known)


def _joined(drafts: list[Draft]) -> tuple[list[Draft], list[Issue]]:
    """Drafts of one table become one; a key in two of them is a duplicate."""
    by_table: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_table.setdefault(draft.rule.table, []).append(draft)
    joined, issues = [], []
    for parts in by_table.values():
        whole = parts[0]
        if len(parts) > 1:
            frame = pd.concat([part.frame for part in parts], ignore_index=True)
            rows = np.concatenate([part.rows for part in parts])
            rule = replace(whole.rule, dedupe=False)
            whole = Draft(whole.place, rule, frame, rows, whole.labels)
            issues += check_duplicates(whole)
        joined.append(whole)
    return joined, issues


def _ordered(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Columns in the order of the register, further ones, then the clocks; key years are whole."""
    known = [name for name in register().tables[table].columns if name in frame]
    clocks = ["known_on", "known_inferred"]
    others = [name for name in frame.columns if name not in known and name not in clocks]
    ordered = frame[[*known, *others, *clocks]].reset_index(drop=True)
    if "year" in register().tables[table].key:
        ordered["year"] = ordered["year"].astype("int64")
    return ordered
