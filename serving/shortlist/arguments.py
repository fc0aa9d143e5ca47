"""Words that argue with a score, a rank, a chance or the model, however they are spelled.

A note of a decision is read as a person reads it: full-width and styled letters, traditional
characters, letters of other scripts that look Latin, invisible characters and whatever stands
between the characters of a word hide nothing.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["NUMBERS_ZH", "number_in"]

NUMBERS_ZH = (
    "分数", "得分", "评分", "打分", "分值", "评价分", "排名", "排位", "名次", "排序靠", "名列",
    "位列", "排第", "排在第", "垫底", "末位", "概率", "可能性", "几率", "机率", "胜算", "成功率",
    "百分位", "分位数", "模型评", "模型预", "模型认为", "模型显示", "模型说", "模型不", "模型判",
    "模型给", "模型结果", "模型结论", "模型估", "模型输出", "模型测算", "预测值", "预测结果",
    "系统测算", "系统评", "系统预测", "算法", "ai判", "ai评", "ai预", "特征贡献", "贡献度",
    "贡献值", "沙普利", "夏普利",
)  # fmt: skip

_PLACES_ZH = re.compile(
    r"第[0-9〇零一二三四五六七八九十百千]+名|前[0-9〇零一二三四五六七八九十百千]+[名家位]"
)

_WORDS_EN = (
    "score", "scores", "scored", "scoring", "rank", "ranks", "ranked", "ranking", "rankings",
    "chance", "chances", "probability", "probabilities", "shapley", "shap", "likelihood", "likely",
    "unlikely", "odds", "percentile", "percentiles", "quantile", "predicted", "predicts",
    "prediction", "predictions", "algorithm", "algorithms",
)  # fmt: skip

_NUMBERS_EN = re.compile(
    r"(?<![a-z])(?<![a-z]['’])("  # the s of "its owner's" begins no word
    + "|".join(r"[\W_]*".join(word) for word in sorted(_WORDS_EN, key=len, reverse=True))
    + r"|(?:the|our|its) model|models? (?:says?|said|thinks?|puts?|gives?)|top \d+|p ?[=<] ?0?\.\d)"
    r"(?![a-z])"
)

_FOLDED = str.maketrans(
    # Cyrillic and Greek letters that are read as Latin ones, traditional characters.
    "асеорѕһкіαορκειν" + "評數機預測貢獻徵顯認為說給結論輸統幾勝後",
    "aceopshkiaopkeiv" + "评数机预测贡献征显认为说给结论输统几胜后",
)


def number_in(text: str) -> str:
    """The word by which a text argues with a number; "" where it does not.

    >>> (
    ...     number_in("概 率偏低"),
    ...     number_in("SHAP值为负"),
    ...     number_in("s.c.o.r.e"),
    ...     number_in("缺少审计报告"),
    ... )
    ('概率', 'shap', 's.c.o.r.e', '')
    """
    # Marks and invisible characters first: they part a word, or an accent hides its letter.
    apart = unicodedata.normalize("NFKD", text)
    seen = "".join(c for c in apart if unicodedata.category(c) not in ("Mn", "Me", "Cf", "Cc"))
    seen = unicodedata.normalize("NFKC", seen).casefold()
    seen = re.sub(r"(?<=[a-z])0(?=[a-z])", "o", seen.translate(_FOLDED))
    if found := _NUMBERS_EN.search(seen):
        return found.group(1)
    # Nothing between two characters hides a word: blanks and signs go.
    bare = "".join(c for c in seen if unicodedata.category(c)[0] in "LN")
    if placed := _PLACES_ZH.search(bare):
        return placed.group()
    return next((word for word in NUMBERS_ZH if word in bare), "")
