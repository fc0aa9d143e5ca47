"""Applying a mapping: sheets of cells to drafts of register tables, with issues in place. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from features.draft import Draft, Finding, Place
from features.headers import Scale, scale_for, split_unit, tidy
from features.mapping import Mapping, TableRule
from features.mapping_fields import near
from features.reading import Reading
from features.schema import Column, fold, register
from features.sheet import Sheet
from features.sheets import assign_sheets, blank_rows, check_headers
from features.typed import Fault, parse_column, recode, texts
from tidu.errors import Issue

__all__ = ["Applied", "apply"]

KNOWN = Column("any", "known_on", "知悉日期", "Known on", "date")
WITHDRAWN = Column("any", "withdrawn", "撤回标记", "Withdrawn", "bool")
TECHNICAL = {"known_on": KNOWN, "withdrawn": WITHDRAWN}


class Applied:
    """One rule applied to one sheet: the draft, and access to other source columns of its rows."""

    def __init__(self, sheet: Sheet, place: Place, rule: TableRule, mapping: Mapping) -> None:
        self.sheet, self.place, self.mapping = sheet, place, mapping
        self.issues: list[Issue] = []
        self.unread: set[tuple[int, str]] = set()  # cells of keys that have an issue of their own
        self._index = {tidy(h): i for i, h in enumerate(sheet.headers)}
        self._good = ~blank_rows(sheet.cells)
        self.rows = sheet.rows[self._good]
        labels = {name: self.header(h) for name, h in rule.columns.items()}
        empty = pd.DataFrame(index=range(len(self.rows)))
        self.draft = Draft(place, rule, empty, self.rows, labels)

    def header(self, wanted: str) -> str:
        """The header as the file writes it."""
        at = self._index.get(tidy(wanted))
        return wanted if at is None else self.sheet.headers[at]

    def cells(self, header: str) -> pd.Series | None:
        """The cells under a header, without blank rows; None if the file has no such column."""
        at = self._index.get(tidy(header))
        if at is None:
            return None
        column = self.sheet.cells[at]
        return column if self._good.all() else column[self._good].reset_index(drop=True)

    def source(self, header: str, spec: Column) -> pd.Series | None:
        """A source column that a rule names, typed; its faults are issues."""
        cells = self.cells(header)
        if cells is None:
            self.issues.append(self.no_column(header))
            return None
        typed = parse_column(cells, spec, Scale(), serials=self.sheet.kind == "xlsx")
        self._report(typed.faults, self.header(header))
        return typed.values

    def run(self) -> None:
        """Fill the draft: constants, columns, recodes, values the mapping calls unknown."""
        rule, n = self.draft.rule, len(self.rows)
        found: dict[str, pd.Series] = {}
        for name, header in rule.columns.items():
            values = self._column(name, header)
            if values is not None:
                found[name] = values.reset_index(drop=True)
        if rule.row_number:
            text = self._spec(rule.row_number).dtype == "text"
            numbers = pd.Series(self.rows - 1)
            found[rule.row_number] = numbers.astype("str" if text else "float64")
        for name, constant in rule.constants.items():
            cells = pd.Series([constant], dtype="str")
            typed = parse_column(cells, self._spec(name), Scale())
            self._report(typed.faults, name)
            found[name] = typed.values.iloc[np.zeros(n, dtype="int64")].reset_index(drop=True)
        self.draft.frame = pd.DataFrame(found, index=range(n))
        for unknown in rule.unknown_when:
            self._unknown(unknown.column, unknown.equals, unknown.then)

    def _spec(self, name: str) -> Column:
        spec = TECHNICAL.get(name) or self.mapping.column(self.draft.rule.table, name)
        assert spec is not None, name
        return spec

    def _column(self, name: str, header: str) -> pd.Series | None:
        cells, spec, rule = self.cells(header), self._spec(name), self.draft.rule
        if cells is None:
            self.issues.append(self.no_column(header))
            return None
        if name in rule.values:
            recoded = recode(cells, rule.values[name])
            self._report(recoded.faults, self.header(header), key=spec.key)
            cells = recoded.values.fillna("")
        typed = parse_column(
            cells, spec, self._scale(name, header, spec), serials=self.sheet.kind == "xlsx"
        )
        self._report(typed.faults, self.header(header), key=spec.key)
        return typed.values

    def _scale(self, name: str, header: str, spec: Column) -> Scale:
        factor = self.draft.rule.factor.get(name)
        if factor is not None:
            # 1e-4 is meant as "divide by ten thousand", which is exact.
            inverse = 1.0 / factor
            exact = abs(factor) < 1 and inverse == round(inverse)
            return Scale(1.0, inverse) if exact else Scale(factor)
        unit = split_unit(self.header(header))[1]
        scale = scale_for(unit, spec)
        known = {tidy(h) for h in (spec.zh, spec.en, *spec.aliases)}
        if scale is not None or tidy(header) in known:
            return scale or Scale()
        finding = Finding(
            "unknown_unit",
            f"The unit of {spec.name} must be convertible to {spec.unit or 'a plain number'}",
            f"Write the header without a unit or in {spec.unit or 'plain numbers'}, or give a"
            " factor in the mapping.",
            f"无法识别的单位“{unit}”,应可换算为{spec.unit or '数值'}",
        )
        self.issues.append(
            replace(self.place.issue("error", finding, self.header(header)), value=unit)
        )
        return Scale()

    def _unknown(self, header: str, equals: tuple[str, ...], then: tuple[str, ...]) -> None:
        cells = self.cells(header)
        if cells is None:
            self.issues.append(self.no_column(header))
            return
        hit = texts(cells).map(fold).isin([fold(e) for e in equals]).to_numpy(dtype=bool)
        for name in then:
            if name in self.draft.frame:
                self.draft.frame[name] = self.draft.frame[name].mask(hit)

    def no_column(self, header: str) -> Issue:
        """The error of a column that the mapping names and the file lacks."""
        hint = near(header, self.sheet.headers)
        finding = Finding(
            "missing_column",
            f"The file must have the column {header!r} that the mapping names.{hint}",
            "Correct the header, or take the column out of the mapping.",
            f"缺少映射文件所指的列“{header}”",
        )
        return self.place.issue("error", finding, header)

    def _report(self, faults: tuple[Fault, ...], header: str, *, key: bool = False) -> None:
        file, sheet = self.place.file, self.place.sheet
        for fault in faults:
            why, rows = fault.error, self.rows[fault.positions].tolist()
            if key:
                self.unread.update((row, header) for row in rows)
            self.issues += [
                Issue(
                    "error", why.rule, why.message, why.cure, file, sheet, row, header, text, why.zh
                )
                for row, text in zip(rows, (t[:200] for t in fault.texts), strict=True)
            ]


def apply(reading: Reading, mapping: Mapping) -> tuple[list[Applied], list[Issue]]:
    """Apply every rule of the mapping to its sheet."""
    issues: list[Issue] = []
    pairs = assign_sheets(reading, mapping, issues)
    for sheet in {id(s): s for s, _ in pairs}.values():
        issues += check_headers(sheet, Place(reading.file, sheet.name))
    if any(issue.level == "error" for issue in issues):
        return [], issues
    applied = []
    for sheet, rule in pairs:
        one = Applied(sheet, Place(reading.file, sheet.name), rule, mapping)
        one.run()
        applied.append(one)
    issues += _unmapped(applied, mapping)
    return applied, issues


def _unmapped(applied: list[Applied], mapping: Mapping) -> list[Issue]:
    """Warn of columns that nobody reads and the mapping does not ignore."""
    issues = []
    named = _named_headers(mapping)
    for sheet in {id(a.sheet): a for a in applied}.values():
        rules = [a.draft.rule for a in applied if a.sheet is sheet.sheet]
        used = named | {tidy(h) for rule in rules for h in rule.columns.values()}
        for header in sheet.sheet.headers:
            if not header or tidy(header) in used:
                continue
            known = [
                label
                for rule in rules
                for c in register().tables[rule.table].columns.values()
                for label in (c.zh, c.name, *c.aliases)
            ]
            hint = near(split_unit(header)[0], known)
            finding = Finding(
                "unknown_column",
                f"The column {header!r} is not read.{hint}",
                "Correct the header, map it, or list it under ignore in the mapping.",
                f"未识别的列“{header}”,内容不会导入",
            )
            issues.append(sheet.place.issue("warning", finding, header))
    return issues


def _named_headers(mapping: Mapping) -> set[str]:
    """Headers that the mapping names outside its columns: ignored, outcome, group, clocks."""
    named = [*mapping.ignore]
    for rule in mapping.tables:
        named += [u.column for u in rule.unknown_when]
        if rule.known_on is not None:
            named += [rule.known_on.column, rule.known_on.plus_column]
    if mapping.outcome is not None:
        known = mapping.outcome.known_on
        named += [mapping.outcome.column, known.column, known.plus_column]
        named += [h for part in mapping.outcome.group for h in (part.column, part.minus)]
    return {tidy(n) for n in named if n}
