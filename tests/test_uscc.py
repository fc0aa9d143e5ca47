"""The unified social credit code: vectors of the standard, and what its prime modulus promises."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from features.uscc import ALPHABET, PREFIXES, check_uscc, normalise

_VECTORS = """
91110000600037341L 91110108551385082Q 91350100M000100Y43 9144030071526726XG 914403001922038216
91330100799655058B 91110000802100433B 91110000710925462X 91440300708461136T 91110105592343655N
91330000142916567N 91310000MA1FL70B67 91110000100011743X 913101157330925631
913101151000000670 913101151000005340 91310115100000411Y 91310115100000489Y 9131011510000018XU
9131011510000026XF N2330110100000008C Y13101151000000087 A1110000100000008H G1310000100000008Q
J1310000100000008N
"""
BOTH_CHECKS_PASS = _VECTORS.split()

symbols = st.sampled_from(ALPHABET)


def _oracle(first17: str) -> str:
    """Find the check character by search: the sum over all 18 must vanish modulo 31."""
    total = sum(ALPHABET.index(c) * 3**i for i, c in enumerate(first17))
    return next(c for c in ALPHABET if (total + ALPHABET.index(c)) % 31 == 0)


codes = st.text(symbols, min_size=17, max_size=17).map(lambda first: first + _oracle(first))


def _rules(text: str) -> tuple[list[str], list[str]]:
    errors, warnings = check_uscc(text)
    return [e.rule for e in errors], [w.rule for w in warnings]


@pytest.mark.parametrize("code", BOTH_CHECKS_PASS)
def test_a_code_that_passes_both_checks_is_taken_without_a_word(code: str) -> None:
    assert check_uscc(code) == ((), ())


def test_a_code_that_fails_only_the_inner_check_is_taken_with_a_warning() -> None:
    assert _rules("12100000400010151J") == ([], ["uscc.organisation_check"])


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("91310115MA1H8R7C6D", "uscc.check"),  # circulates on the web; 7 would fit
        ("91110000600037341M", "uscc.check"),  # substitution
        ("91110000600037314L", "uscc.check"),  # transposition
        ("91110108551385082O", "uscc.symbol"),
        ("9111000060003734L", "uscc.length"),
        ("911100006000373411L", "uscc.length"),
        ("", "uscc.length"),
        ("110000450123456", "uscc.old_registration"),
        ("60003734-1", "uscc.organisation_code"),
        ("60003734X", "uscc.organisation_code"),
        ("９１１１0000600037341M", "uscc.check"),
        ("91110000600037341٣", "uscc.symbol"),
    ],
)
def test_a_wrong_code_is_an_error_that_names_its_kind(code: str, rule: str) -> None:
    assert _rules(code) == ([rule], [])


def test_every_problem_speaks_both_languages_and_says_what_to_do() -> None:
    wrong = ["110000450123456", "600037341", "1", "O" * 18, "91110000600037341M"]
    said = [p for code in wrong for p in check_uscc(code)[0]]
    said += check_uscc("12100000400010151J")[1]
    assert len({p.rule for p in said}) == 6
    for problem in said:
        assert problem.message.endswith(".")
        assert problem.cure.endswith(".")
        assert any("一" <= c <= "鿿" for c in problem.zh)


def test_the_expected_character_is_named() -> None:
    (problem,), _ = check_uscc("91310115MA1H8R7C6D")
    assert "7 would fit" in problem.message
    assert "末位应为 7" in problem.zh


def test_letters_that_look_like_digits_are_suggested_never_replaced() -> None:
    typed = "9111OOOO6OOO37341L"
    assert normalise(typed) == typed
    (problem,), _ = check_uscc(typed)
    assert "91110000600037341L would be valid" in problem.cure
    (problem,), _ = check_uscc("91110108551385082O")
    assert "valid" not in problem.cure  # 0 does not fit either: nothing to suggest


@pytest.mark.parametrize(
    "typed",
    [
        "91110108551385082q",
        "９１１１０１０８５５１３８５０８２Ｑ",
        " 9111 0108 5513 8508 2Q\u00a0",
        "91110108-55138508-2-Q",
        "9111010855138508\u200b2Q\ufeff",
        "911101085513850\u201382Q\t\n",
    ],
)
def test_width_case_spaces_and_hyphens_do_not_count(typed: str) -> None:
    assert normalise(typed) == "91110108551385082Q"
    assert check_uscc(typed) == ((), ())


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    errors, warnings = check_uscc(text)
    assert len(errors) <= 1
    assert not (errors and warnings)


signs = st.sampled_from(" -\u3000\u00a0\u200b\u2013\ufeff")


@given(codes, st.lists(signs, min_size=19, max_size=19))
def test_signs_between_the_characters_do_not_count(code: str, between: list[str]) -> None:
    wide = [chr(ord(c) + 0xFEE0) for c in code.lower()]
    typed = "".join(sign + c for sign, c in zip(between, wide, strict=False)) + between[-1]
    assert normalise(typed) == code


@given(codes)
def test_a_code_with_a_fitting_check_character_is_never_an_error(code: str) -> None:
    errors, warnings = check_uscc(code)
    assert errors == ()
    prefixed = "uscc.prefix" in [w.rule for w in warnings]
    assert prefixed == (code[:2] not in PREFIXES)


@given(codes, st.integers(0, 17), symbols)
def test_every_single_substitution_is_detected(code: str, place: int, symbol: str) -> None:
    assume(code[place] != symbol)
    assert _rules(code[:place] + symbol + code[place + 1 :])[0] == ["uscc.check"]


@given(codes, st.integers(0, 17), st.integers(0, 17))
@example("913101157330925631", 0, 17)
def test_every_transposition_is_detected_except_of_first_and_last(
    code: str, one: int, other: int
) -> None:
    assume(code[one] != code[other])
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    blind = {one, other} == {0, 17}  # both weigh 1; often the prefix gives it away
    assert _rules("".join(swapped))[0] == ([] if blind else ["uscc.check"])
