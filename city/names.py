"""Invented identities: ids, firm names, districts and credit codes that no real firm can bear.

The city of 澜州 does not exist, so no name that begins with it is a real one, and GB/T 2260 assigns
no region 39xxxx, so no code made here is a real one; the check characters are right all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from city.parameters import Parameters, Stream
from tidu.errors import UsageError

__all__ = ["ALPHABET", "credit_codes", "firm_ids", "firm_names", "person_names", "valid_code"]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015."""

BODY_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])  # GB 11714
CODE_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)])  # GB 32100


def firm_ids(count: int) -> NDArray[np.str_]:
    """Return the anonymous ids F000001, F000002, …"""
    width = max(6, len(str(count)))
    return np.array([f"F{i:0{width}d}" for i in range(1, count + 1)])


def _body_values(letters: NDArray[np.str_]) -> NDArray[np.int64]:
    """GB 11714 counts digits as themselves and A-Z as 10-35."""
    codes = letters.view(np.uint32).astype(np.int64)
    return np.where(codes >= ord("A"), codes - ord("A") + 10, codes - ord("0"))


def credit_codes(region: Sequence[str], stream: Stream) -> NDArray[np.str_]:
    """Return one valid code per region code (six digits), all different."""
    count, alphabet = len(region), np.array(list(ALPHABET))
    space = len(ALPHABET) ** 6
    if count * 2 > space:
        raise UsageError(
            f"At most {space // 2} codes can be made, found {count}.", "Ask for fewer."
        )
    # An odd multiplier coprime to 31 walks through all bodies without meeting one twice.
    start = int(stream("codes").integers(space))
    serial = (start + np.arange(count, dtype=np.int64) * 401_999_983) % space
    digits = (serial[:, None] // 31 ** np.arange(6)) % 31
    body = np.concatenate([np.tile(["M", "A"], (count, 1)), alphabet[digits]], axis=1)
    rest = 11 - (_body_values(np.ascontiguousarray(body)) @ BODY_WEIGHTS) % 11
    body_check = np.array(list("0123456789X0"))[rest]
    places = np.array([list(code) for code in region])
    head = np.concatenate(
        [np.tile(["9", "1"], (count, 1)), places, body, body_check[:, None]], axis=1
    )
    values = np.searchsorted(alphabet, head)
    check = alphabet[(31 - (values @ CODE_WEIGHTS) % 31) % 31]
    whole = np.ascontiguousarray(np.concatenate([head, check[:, None]], axis=1))
    return whole.view("<U18").ravel()


def valid_code(code: str) -> bool:
    """Check one code: length, alphabet and last character.

    >>> valid_code("91350100M000100Y43"), valid_code("91350100M000100Y44")
    (True, False)
    """
    if len(code) != 18 or any(c not in ALPHABET for c in code):
        return False
    total = sum(ALPHABET.index(c) * int(w) for c, w in zip(code[:17], CODE_WEIGHTS, strict=True))
    return ALPHABET.index(code[17]) == (31 - total % 31) % 31


def firm_names(
    parameters: Parameters, words: NDArray[np.str_], joint: NDArray[np.bool_], stream: Stream
) -> NDArray[np.str_]:
    """Return names such as 澜州铭拓轴承有限公司, all different."""
    names, rng = parameters.section("names"), stream("names")
    first, second = np.array(list(names["first"])), np.array(list(names["second"]))
    brands = np.char.add(first[:, None], second[None, :]).ravel()
    # Two brand words where the trade holds more firms than there are brands.
    count = len(words)
    brand = np.empty(count, dtype=np.int64)
    order = np.empty(count, dtype=np.int64)
    for word in np.unique(words):
        rows = np.flatnonzero(words == word)
        order[rows] = np.arange(len(rows)) // len(brands)
        brand[rows] = rng.permutation(len(brands))[np.arange(len(rows)) % len(brands)]
    extra = np.where(order > 0, second[(order - 1) % len(second)], "")
    form = np.array(names["forms"])[joint.astype(int)]
    city = str(parameters.raw["place"]["city"])
    name = np.char.add(np.char.add(city, brands[brand]), np.char.add(extra, words))
    return np.char.add(name, form)


def person_names(parameters: Parameters, count: int, stream: Stream) -> NDArray[np.str_]:
    """Return invented names of representatives: a family name and a word of the brands."""
    names, rng = parameters.section("names"), stream("persons")
    family = np.array(list(names["persons"]))
    given = np.array(list(names["first"] + names["second"]))
    return np.char.add(rng.choice(family, count), rng.choice(given, count))
