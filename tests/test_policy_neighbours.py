"""Technology SMEs and single champions read a second time, from the documents alone.

Random firms whose figures stand at, just below and just above the numbers of the texts, in exact
fractions; everything of them is known, so that each verdict is met or unmet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction

import numpy as np
import pytest

from policy.loading import standing
from policy.logic import MET, UNMET
from policy.values import Inputs, Values
from policy.verdict import Verdict, judge

N, DAY = 4000, date(2026, 6, 30)
Firm = Mapping[str, Fraction]


def near(rng: np.random.Generator, edges: Sequence[int], step: str = "0.01") -> Fraction:
    """An edge, or one step beside it."""
    return Fraction(int(rng.choice(edges))) + int(rng.integers(-1, 2)) * Fraction(step)


def share_of(rng: np.random.Generator, whole: Fraction, edges: Sequence[int]) -> Fraction:
    """A part of the whole in cents whose share stands at an edge or a cent beside it."""
    at = whole * int(rng.choice(edges)) / 100
    cents = int(at * 100) + int(rng.integers(-1, 2))
    return max(Fraction(cents, 100), Fraction(0))


def judged(edition: str, firms: Sequence[Firm], findings: Mapping[str, Sequence[bool]]) -> Verdict:
    columns = {name: np.array([float(firm[name]) for firm in firms]) for name in firms[0]}
    found = {name: np.where(held, MET, UNMET).astype(np.int8) for name, held in findings.items()}
    ids = np.array([f"F{i:05d}" for i in range(len(firms))], dtype=object)
    inputs = Inputs(ids, DAY, 2025, columns, found)
    return judge(standing().edition(edition), Values(standing(), inputs))


def differing(verdict: Verdict, firms: Sequence[Firm], wanted: Sequence[bool]) -> list[Firm]:
    assert set(verdict.status) == {MET, UNMET}
    assert 0.05 < np.mean(wanted) < 0.95  # both answers are seen
    pairs = zip(firms, verdict.status, wanted, strict=True)
    return [firm for firm, status, met in pairs if (status == MET) != met]


# ------------------------------------------------------------------------------ technology SME

CLEAN_115 = (
    "prohibited_product", "since_new_year(accident_major, 1)", "since_new_year(data_fraud, 1)",
    "open(abnormal_list)", "open(dishonest_list)", "banned(tech_sme)",
)  # fmt: skip
LEVELS = {"none": 0, "below_muni": 1, "muni": 2, "prov": 3, "nat": 4}


def technology_firm(rng: np.random.Generator) -> Firm:
    small = rng.random() < 0.9
    found = {
        "registered_in_city": Fraction(int(rng.random() < 0.98)),
        "employees": near(rng, (100, 500) if small else (500, 501), "1"),
        "revenue": near(rng, (1170, 10_000, 20_000) if small else (20_000,)),
        "total_assets": near(rng, (10_000, 20_000) if small else (20_000,)),
        "class1_ip": Fraction(int(rng.choice([0, 0, 1, 2]))),
        "class2_ip_any": Fraction(int(rng.integers(0, 6))),
        "held(high_tech)": Fraction(int(rng.random() < 0.05)),
        "award(nat, 3, 5)": Fraction(int(rng.random() < 0.03)),
        "rd_institution_level": Fraction(int(rng.choice([0, 1, 2, 2, 3, 4] if small else [0, 3]))),
        "standards_led_5y": Fraction(int(rng.random() < 0.05)),
    }
    found |= {name: Fraction(int(rng.random() < 0.01)) for name in CLEAN_115}
    at = found["employees"] * int(rng.choice((10, 15, 20, 25, 30))) / 100
    found["tech_staff"] = max(Fraction(int(at) + int(rng.integers(-1, 2))), Fraction(0))
    found["rd_expense"] = share_of(rng, found["revenue"], (2, 3, 4, 5, 6))
    share = int(rng.choice((8, 10, 15, 20, 25, 30)))
    costs = int(found["rd_expense"] * 100 * 100 / share) + int(rng.integers(-1, 2))
    return found | {"cost_expense_total": Fraction(max(costs, 1), 100)}


def banded(value: Fraction, bands: Sequence[tuple[int, int]]) -> int:
    return next((points for least, points in bands if value >= least), 0)


def points_115(firm: Firm) -> tuple[int, int, int]:
    """第七条: technical staff, R&D (the better of two shares), IP."""
    staff = 100 * firm["tech_staff"] / firm["employees"]
    of_sales = 100 * firm["rd_expense"] / firm["revenue"]
    of_costs = 100 * firm["rd_expense"] / firm["cost_expense_total"]
    rd = max(
        banded(of_sales, ((6, 50), (5, 40), (4, 30), (3, 20), (2, 10))),
        banded(of_costs, ((30, 50), (25, 40), (20, 30), (15, 20), (10, 10))),
    )
    second = banded(firm["class2_ip_any"], ((4, 24), (3, 18), (2, 12), (1, 6)))
    ip = 30 if firm["class1_ip"] >= 1 else second
    return banded(staff, ((30, 20), (25, 16), (20, 12), (15, 8), (10, 4))), rd, ip


def technology_sme(firm: Firm) -> bool:
    """第六条 and 第八条."""
    small = firm["employees"] <= 500 and max(firm["revenue"], firm["total_assets"]) <= 20_000
    clean = firm["registered_in_city"] == 1 and not any(firm[name] for name in CLEAN_115)
    points = points_115(firm)
    direct = (
        firm["held(high_tech)"] or firm["award(nat, 3, 5)"] or firm["standards_led_5y"]
        or firm["rd_institution_level"] >= LEVELS["prov"]
    )  # fmt: skip
    return bool(small and clean and (direct or (sum(points) >= 60 and points[0] > 0)))


def test_technology_smes_are_judged_as_the_document_read_again_says() -> None:
    rng = np.random.default_rng(115)
    firms = [technology_firm(rng) for _ in range(N)]
    verdict = judged("115-2017", firms, {})
    assert differing(verdict, firms, [technology_sme(firm) for firm in firms]) == []
    for place, group in enumerate(("tech_staff", "rd", "ip")):
        scored = verdict.scores[group]
        wanted = [points_115(firm)[place] for firm in firms]
        assert scored.low.tolist() == scored.high.tolist() == wanted


# ------------------------------------------------------------------------------ single champion

MANUAL_138 = (
    "no_harm", "technology", "energy", "international", "rd_institution", "rd_leading", "results",
    "productive_service",
)  # fmt: skip
MANUAL_105 = (
    "technology", "profit", "international", "brand", "energy", "management", "core_ip",
    "environment_clean",
)  # fmt: skip
RECORDS = (
    "open(abnormal_list)", "open(dishonest_list)", "prohibited_product", "recent(tax_evasion, 36)",
    "recent(data_fraud, 36)", "banned(single_champion, single_champion_product)",
)  # fmt: skip


def champion_firm(rng: np.random.Generator) -> Firm:
    yes = {"registered_in_city": 0.98, "is_manufacturing": 0.9, "main_product_new": 0.4}
    no = {"recent(accident_major, 36)": 0.02, "recent(penalty, 36)": 0.3}
    titles = {"held(srdi_provincial)": 0.4, "held(little_giant)": 0.4}
    chances = yes | no | titles | dict.fromkeys(RECORDS, 0.01)
    found = {name: Fraction(int(rng.random() < chance)) for name, chance in chances.items()}
    line = int(rng.choice((20_000, 40_000)))
    a, b = (Fraction(int(rng.integers(0, 3 * line * 50)), 100) for _ in range(2))
    c = max(3 * line + Fraction(int(rng.integers(-2, 3)), 100) - a - b, Fraction(0))
    found |= {"main_revenue": a, "main_revenue[-1]": b, "main_revenue[-2]": c}
    found["revenue"] = near(rng, (20_000, 40_000, 40_000))
    found["main_product_revenue"] = share_of(rng, found["revenue"], (70, 80, 90))
    found["years_in_niche"] = near(rng, (3, 5, 10, 10))
    found["niche_rank_global"] = Fraction(int(rng.choice((1, 2, 3, 3, 4))))
    for name in ("class1_ip_self", "standards_led", "standards_joined"):
        found[name] = Fraction(int(rng.integers(0, 3)))
    return found


def officially(rng: np.random.Generator, names: Sequence[str]) -> dict[str, list[bool]]:
    return {name: (rng.random(N) < 0.97).tolist() for name in names}


def champion_2023(firm: Firm, found: Mapping[str, bool]) -> bool:
    """138号 第二条, 第三条, 附件1."""
    mean = (firm["main_revenue"] + firm["main_revenue[-1]"] + firm["main_revenue[-2]"]) / 3
    srdi = firm["held(srdi_provincial)"] or firm["held(little_giant)"]
    clean = not any(firm[name] for name in (*RECORDS, "recent(accident_major, 36)"))
    return bool(
        clean
        and firm["registered_in_city"]
        and (firm["is_manufacturing"] or found["productive_service"])
        and firm["years_in_niche"] >= (5 if firm["main_product_new"] else 10)
        and mean >= (20_000 if srdi else 40_000)
        and firm["niche_rank_global"] <= 3
        and all(held for name, held in found.items() if name != "productive_service")
    )


def champion_2016(share: bool, sales: bool) -> Callable[[Firm, Mapping[str, bool]], bool]:
    """105号, conditions 1 to 9 without the preference; a product need not make the share."""

    def reading(firm: Firm, found: Mapping[str, bool]) -> bool:
        own = firm["class1_ip_self"] >= 1 or found["core_ip"]
        standard = firm["standards_led"] + firm["standards_joined"] >= 1
        penalised = firm["recent(penalty, 36)"] and not found["environment_clean"]
        always = [v for n, v in found.items() if n not in ("core_ip", "environment_clean")]
        big = firm["revenue"] >= 40_000 or firm["held(little_giant)"]
        made = firm["main_product_revenue"] / firm["revenue"] >= Fraction(7, 10)
        return bool(
            firm["registered_in_city"] and firm["is_manufacturing"] and own and standard
            and firm["niche_rank_global"] <= 3
            and firm["years_in_niche"] >= (3 if firm["main_product_new"] else 10)
            and not firm["recent(accident_major, 36)"] and not penalised and all(always)
            and (made or not share) and (big or not sales)
        )  # fmt: skip

    return reading


@pytest.mark.parametrize(
    ("edition", "reading", "manual"),
    [
        ("138-2023/annex1", champion_2023, MANUAL_138),
        ("105-2016/enterprise", champion_2016(True, False), MANUAL_105),
        ("105-2016/enterprise-2018", champion_2016(True, True), MANUAL_105),
        ("105-2016/product", champion_2016(False, False), MANUAL_105),
        ("105-2016/product-2018", champion_2016(False, True), MANUAL_105),
    ],
)
def test_champions_are_judged_as_the_documents_read_again_say(
    edition: str, reading: Callable[[Firm, Mapping[str, bool]], bool], manual: Sequence[str]
) -> None:
    rng = np.random.default_rng(2016)
    firms, found = [champion_firm(rng) for _ in range(N)], officially(rng, manual)
    each = ({name: held[i] for name, held in found.items()} for i in range(N))
    wanted = [reading(firm, own) for firm, own in zip(firms, each, strict=True)]
    assert differing(judged(edition, firms, found), firms, wanted) == []
