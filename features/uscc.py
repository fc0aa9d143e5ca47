"""The unified social credit code (GB 32100-2015): spelling and check characters.

Eighteen characters: registering department, category, six digits of the administrative division,
nine of the organisation code (GB 11714, with its own check) and the check character.
The outer check is a rule without exception, so breaking it is an error; a category not seen before
and the inner check, which old codes are known to break, are warnings.
"""

from __future__ import annotations

import unicodedata

from tidu.errors import Issue

__all__ = ["ALPHABET", "PREFIXES", "check_character", "check_uscc", "normalise"]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 symbols: digits and letters without I, O, S, V, Z, which are misread."""

_SEEN = """
11 12 13 19 21 31 32 33 34 35 41 51 52 53 54 55 59 61 62 71 72 81 91 92 93 A1 G1 J1 N1 N2 N3 Y1
"""
PREFIXES = frozenset(_SEEN.split())
"""Department and category as seen in practice; amendments add to them, so others only warn."""

_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_MISREAD = str.maketrans("IO", "10")

Problems = tuple[tuple[Issue, ...], tuple[Issue, ...]]


def normalise(text: str) -> str:
    """Undo what typing does to a code: width, case, spaces, hyphens, invisible signs.

    Letters that look like digits stay: guessing is for the person who has the certificate.

    >>> normalise(" ９１１１００００-600037341l ")
    '91110000600037341L'
    """
    wide = unicodedata.normalize("NFKC", text)
    # Z: spaces · Pd: hyphens and dashes · C: control, zero-width and direction marks
    kept = (c for c in wide if unicodedata.category(c)[0] not in "ZC")
    return "".join(c for c in kept if unicodedata.category(c) != "Pd").upper()


def check_character(first17: str) -> str:
    """Return the 18th character that GB 32100-2015 gives to the first 17.

    >>> check_character("91110000600037341")
    'L'
    """
    total = sum(_VALUES[c] * w for c, w in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def _organisation_check(first8: str) -> str:
    """Return the ninth character of an organisation code (GB 11714)."""
    total = sum(int(c, 36) * w for c, w in zip(first8, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def check_uscc(text: str) -> Problems:
    """Return ``(errors, warnings)`` of a code; both empty when nothing is to be said."""
    code = normalise(text)
    error = _length_error(code, text) or _symbol_error(code, text) or _check_error(code, text)
    return ((error,), ()) if error else ((), _doubts(code, text))


def _length_error(code: str, text: str) -> Issue | None:
    digits = set(code) <= set("0123456789")
    if len(code) == 18:
        return None
    if len(code) == 15 and digits:
        return _error(
            "uscc.old_registration",
            "A unified social credit code has 18 characters; this is a 15-digit registration "
            "number of the time before 2015.",
            "Enter the code printed on the present business licence.",
            "这是15位旧工商注册号,不是18位统一社会信用代码;请填写现行营业执照上的代码。",
            text,
        )
    if len(code) == 9:
        return _error(
            "uscc.organisation_code",
            "A unified social credit code has 18 characters; this is a 9-character organisation "
            "code, which is only its positions 9 to 17.",
            "Enter the whole code printed on the present business licence.",
            "这是9位组织机构代码,只是统一社会信用代码的第9至17位;请填写营业执照上完整的18位代码。",
            text,
        )
    return _error(
        "uscc.length",
        f"A unified social credit code has 18 characters, found {len(code)}.",
        "Compare with the business licence.",
        f"统一社会信用代码应为18位,现为{len(code)}位;请对照营业执照核对。",
        text,
    )


def _symbol_error(code: str, text: str) -> Issue | None:
    astray = sorted({c for c in code if c not in _VALUES})
    if not astray:
        return None
    signs = " ".join(astray)
    guess = code.translate(_MISREAD)
    fits = set(guess) <= set(ALPHABET) and check_character(guess[:17]) == guess[17]
    return _error(
        "uscc.symbol",
        f"A unified social credit code has digits and letters but no I, O, S, V, Z, found {signs}.",
        f"Compare with the business licence; {guess} would be valid."
        if fits
        else "Compare with the business licence.",
        f"统一社会信用代码只含数字和除I、O、S、V、Z以外的字母,发现 {signs};"
        + (f"是否应为 {guess}?请对照营业执照确认。" if fits else "请对照营业执照核对。"),
        text,
    )


def _check_error(code: str, text: str) -> Issue | None:
    expected = check_character(code[:17])
    if code[17] == expected:
        return None
    return _error(
        "uscc.check",
        f"The last character of a unified social credit code must fit the others: {expected} would "
        f"fit these, found {code[17]}.",
        "One character is wrong or two are exchanged; compare with the business licence.",
        f"统一社会信用代码校验不符:按前17位末位应为 {expected},现为 {code[17]};"
        "可能有一位写错或两位互换,请对照营业执照核对。",
        text,
    )


def _doubts(code: str, text: str) -> tuple[Issue, ...]:
    found = []
    if code[:2] not in PREFIXES:
        found.append(
            _warning(
                "uscc.prefix",
                f"Department and category {code[:2]} of a unified social credit code are not known "
                "here.",
                f"统一社会信用代码前两位 {code[:2]} 不在已知的登记部门与机构类别之列,请核对。",
                text,
            )
        )
    if not set(code[2:8]) <= set("0123456789"):
        found.append(
            _warning(
                "uscc.division",
                f"Characters 3 to 8 of a unified social credit code are digits, found {code[2:8]}.",
                f"统一社会信用代码第3至8位应为行政区划数字,现为 {code[2:8]},请核对。",
                text,
            )
        )
    inner = _organisation_check(code[8:16])
    if code[16] != inner:
        found.append(
            _warning(
                "uscc.organisation_check",
                f"Positions 9 to 17 of a unified social credit code, the organisation code, should "
                f"end in {inner}, found {code[16]}.",
                f"其中组织机构代码(第9至17位)校验位应为 {inner},现为 {code[16]};"
                "个别旧代码属例外,请核对。",
                text,
            )
        )
    return tuple(found)


def _error(rule: str, message: str, cure: str, zh: str, value: str) -> Issue:
    return Issue("error", rule, message, cure, value=value, zh=zh)


def _warning(rule: str, message: str, zh: str, value: str) -> Issue:
    return Issue("warning", rule, message, "Compare with the business licence.", value=value, zh=zh)
