"""The data dictionary as Markdown, made from the register and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from features.schema import FAMILIES, Column, Register, Table

__all__ = ["bounds", "data_dictionary", "families"]

_TYPES = {
    "text": "文本 text",
    "int": "整数 int",
    "float": "数值 float",
    "bool": "是/否 bool",
    "date": "日期 date",
    "code": "代码 code",
    "set": "多选 set",
}
_TITLES = (
    "字段 field",
    "名称 zh",
    "English",
    "类型 type",
    "单位 unit",
    "范围 bounds",
    "组 group",
    "任务 tasks",
    "别名与说明 aliases, notes",
)
_DIRECTIONS = {-1: "−", 0: "", 1: "+"}

_INTRODUCTION = """\
# 数据字典 · Data dictionary

Made from `features/columns/*.toml` by `features.dictionary`; a test holds this page equal to the
register. Change the register, then run `python -m features.dictionary > docs/data-dictionary.md`.

- A file needs `firms` and `annual` with a few columns. An absent column or an empty cell means
  *unknown* (未知), never zero.
- Money is 万元 of the row's currency, shares are percent (12.5 = 12.5 %), dates are ISO days.
- **键 key**: the columns that identify a row; they are never empty, all others may be.
- **范围 bounds** are what is plausible by definition, never the range of some file.
- **任务 tasks**: the families of tasks whose profile the column may enter; `–` = never a driver.
  `+`/`−` is the effect expected on a firm's growth or soundness, where it is plainly known.
- Headers are recognised by field name, label or alias; case, width and spaces do not count, and a
  unit in brackets may follow: `营业收入(万元)`.
- **future**: a date that may lie ahead by nature; every other date of a row is unknown to anyone
  who stands before it.
"""


def bounds(column: Column) -> str:
    """Say the plausible range: ``0–100``, ``≥ 0``, ``≤ 100`` or nothing."""
    low, high = (None if b is None else f"{b:,.15g}" for b in (column.low, column.high))
    if low and high:
        return f"{low}–{high}" if column.name != "year" else f"{column.low:g}–{column.high:g}"
    if low:
        return f"≥ {low}"
    return f"≤ {high}" if high else ""


def families(column: Column) -> str:
    """Say which task families the column may enter."""
    if not column.families:
        return "–"
    named = "all" if set(column.families) == set(FAMILIES) else ", ".join(column.families)
    return f"{named} {_DIRECTIONS[column.direction]}".strip()


def data_dictionary(register: Register) -> str:
    """Return the whole page."""
    parts = [_INTRODUCTION, *_contents(register)]
    for table in register.tables.values():
        parts += _table(table)
    return "\n".join(parts) + "\n"


def _contents(register: Register) -> Iterator[str]:
    yield "| 表 table | 键 key | 字段数 columns |"
    yield "|---|---|---|"
    for table in register.tables.values():
        key = ", ".join(f"`{name}`" for name in table.key)
        yield f"| {table.zh} [`{table.name}`](#{table.name}) | {key} | {len(table.columns)} |"
    yield ""


def _table(table: Table) -> Iterator[str]:
    yield f'<a id="{table.name}"></a>\n'
    yield f"## {table.zh} · {table.en} (`{table.name}`)\n"
    yield "| " + " | ".join(_TITLES) + " |"
    yield "|" + "---|" * len(_TITLES)
    for column in table.columns.values():
        yield "| " + " | ".join(_cells(column)) + " |"
    coded = [c for c in table.columns.values() if c.codes]
    if coded:
        yield f"\n### 代码 · Codes of `{table.name}`\n"
        for column in coded:
            yield _codes(column)
    yield ""


def _cells(column: Column) -> tuple[str, ...]:
    kind = _TYPES[column.dtype] + (" future" if column.future else "")
    said = "、".join(column.aliases)
    if column.note:
        said = f"{said}。{column.note}" if said else column.note
    return (
        f"`{column.name}`" + (" **键**" if column.key else ""),
        column.zh,
        column.en,
        kind,
        column.unit,
        bounds(column),
        column.group,
        families(column),
        said.replace("|", "\\|"),
    )


def _codes(column: Column) -> str:
    listed = (f"`{code}` = {'、'.join(known)}" for code, known in column.codes.items())
    order = "(有序,由低到高 ordinal)" if column.ordinal else ""
    return f"- **{column.zh}** `{column.name}`{order}: " + "; ".join(listed)


if __name__ == "__main__":
    import sys

    from features.schema import register

    sys.stdout.write(data_dictionary(register()))
