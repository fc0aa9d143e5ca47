"""What a reader of a shortlist must know, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from serving.shortlist.question import MODES, Question

__all__ = ["ADVICE", "chance_text", "head_lines", "notes_of", "place_text", "source_line"]

ADVICE = {
    "code": "advice",
    "zh": "名单供参考;行政决定只引用条款,不以分数、排名、概率为依据",
    "en": "The list is advice: administrative decisions cite clauses, never score, rank or chance",
}

STATES = {
    "not_yet": ("申报批次{id}尚未开始", "Batch {id} has not opened yet"),
    "closed": ("申报批次{id}已经截止", "Batch {id} is closed"),
    "undeclared": (
        "申报批次{id}的起止日未公布,按全年计",
        "The dates of batch {id} are not declared: the whole year counts",
    ),
}


def notes_of(
    question: Question,
    counts: Mapping[str, int],
    about: Mapping[str, Any],
    *,
    papers: bool,
    law: object,
) -> list[dict[str, str]]:
    """Everything a reader would otherwise take for something else; ``law`` is that of ranks."""
    notes = [ADVICE]
    if counts["short"]:
        notes.append(
            _note(
                "short",
                f"要求{question.k}家,可列入的只有{counts['listed']}家",
                f"{question.k} firms were asked for, {counts['listed']} are there",
            )
        )
    if counts["unknown"]:
        notes.append(_of_unknown(question.mode, counts["unknown"]))
    notes += _of_batch(question, about)
    line = about.get("line")
    if question.mode == "reserve" and line and line["unsearched"]:
        notes.append(
            _note(
                "unsearched",
                f"有{line['unsearched']}家企业未搜索晋级路径,储备企业中可能有属于培育的",
                f"The paths of {line['unsearched']} firms were not searched: some of reserve may"
                " belong to cultivate",
            )
        )
    if not papers:
        notes.append(_note("papers", "未列申报材料情况", "The state of papers is not shown"))
    if law is None:
        notes.append(
            _note(
                "ranks",
                "该模型样本不足或较旧,名次区间和属于前K家的概率未知",
                "The model has too few outcomes, or is too old, to say how ranks move: place"
                " intervals and chances of the first K are unknown",
            )
        )
    return notes


def _of_unknown(mode: str, count: int) -> dict[str, str]:
    if mode == "missed":
        return _note(
            "unknown",
            f"申报记录没有覆盖该批次,{count}家符合或待核实的企业是否已申报不能判断,未列入",
            f"Records of applications do not cover the batch: of {count} firms nobody can say"
            " whether they applied; they are not listed",
        )
    return _note(
        "unknown",
        f"{count}家企业的阶段不能判断,未列入",
        f"The stage of {count} firms is unknown; they are not listed",
    )


def _of_batch(question: Question, about: Mapping[str, Any]) -> list[dict[str, str]]:
    batch = about.get("batch")
    if question.mode != "missed" or not batch or batch["state"] not in STATES:
        return []
    zh, en = STATES[batch["state"]]
    return [_note("batch", zh.format(**batch), en.format(**batch))]


def _note(code: str, zh: str, en: str) -> dict[str, str]:
    return {"code": code, "zh": zh, "en": en}


def chance_text(row: Mapping[str, Any]) -> str:
    """The chance of a row with its interval, as 12.3% (8.1%–17.0%)."""
    return f"{row['probability']:.1%} ({row['p_low']:.1%}–{row['p_high']:.1%})"


def place_text(row: Mapping[str, Any]) -> str:
    """The 90 % interval of a row's place, as 3–17; "" without a law of ranks."""
    return "" if row["place_low"] is None else f"{row['place_low']}–{row['place_high']}"


def source_line(body: Mapping[str, Any], lang: str) -> str:
    """What an answer rests on: day, snapshot, bundle, law."""
    words = {
        "as_of": ("基准日", "as of"),
        "snapshot_id": ("快照", "snapshot"),
        "model_version": ("模型", "model"),
        "policy_edition": ("规则版本", "law"),
    }
    pick = 0 if lang == "zh" else 1
    return " · ".join(f"{said[pick]} {body[name]}" for name, said in words.items() if body[name])


def head_lines(body: Mapping[str, Any], lang: str) -> list[str]:
    """What stands above a list: its subject, what it rests on, its counts and its notes."""
    zh = lang == "zh"
    counts, edition, asked = body["counts"], body["edition"], body["question"]
    mode = (MODES[asked["mode"]] if zh else asked["mode"]) if asked["mode"] else ""
    title = "名单" if zh else "Shortlist"
    lines = [" ".join(part for part in (title, body["task"], mode) if part)]
    saved = body.get("shortlist_id")
    if saved:
        word = ("编号", "保存") if zh else ("id", "saved")
        who = f"{body['saved_by']} {body['saved_at']}"
        lines.append(f"{word[0]} {saved} · {word[1]} {who} · sha256 {body['hash']}")
    lines.append(source_line(body, lang))
    if edition:
        lines.append(f"{edition[f'edition_{lang}']} {edition['document']} · {edition['batch']}")
    words = ("评分范围", "可列入", "列入") if zh else ("cohort", "eligible", "listed")
    numbers = (counts["cohort"], counts["eligible"], counts["listed"])
    lines.append(" · ".join(f"{w} {n}" for w, n in zip(words, numbers, strict=True)))
    if body["districts"]:
        lines.append(_district_line(body["districts"], zh=zh))
    lines += [f"* {s[lang]}" for s in (*body["statements"], *body["notes"])]
    return lines


def _district_line(districts: Sequence[Mapping[str, Any]], *, zh: bool) -> str:
    """Counts by district; of whom nobody can say only where there are such firms."""
    shown = {"eligible": ("可列入", "eligible"), "listed": ("列入", "listed")}
    if any(d.get("unknown") for d in districts):  # lists of before do not count them
        shown["unknown"] = ("不能判断", "unknown")
    pick = 0 if zh else 1
    head = ("区县", "districts ")[pick] + f"({'/'.join(words[pick] for words in shown.values())})"
    each = [
        f"{d['district'] or ('区县未知', 'none')[pick]} {'/'.join(str(d[name]) for name in shown)}"
        for d in districts
    ]
    return f"{head}: {' · '.join(each)}"
