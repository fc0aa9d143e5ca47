"""The column register: no field of the law lost, nothing said twice, wrong declarations refused."""

from __future__ import annotations

import pytest

from features.schema import FAMILIES, fold, parse_table, register
from tidu.errors import DataError, NotFound

REGISTER = register()
COLUMNS = [c for t in REGISTER.tables.values() for c in t.columns.values()]

# The fields of the law and the plan: policy facts, sections 6.1 to 6.5, in their order.
_LAW = """
firm_id uscc year rule_as_of founded_on years_since_founded district registered_in_city
relocated_in_on whole_relocation industry_300 industry_gb4754 is_manufacturing legal_form
shareholding_reform_on is_listed quoted_market neeq_months titles muni_srdi_title abnormal_list
dishonest_list incident_major_3y tax_evasion_3y data_fraud_flag ban_until minor_offence_exempt
prohibited_product
employees revenue main_revenue main_product_revenue high_tech_revenue overseas_revenue
net_profit_adj net_profit total_assets total_liabilities net_assets net_assets_per_share
share_capital weighted_roe_pct operating_cash_flow cost_of_sales selling_expense admin_expense
tax_paid settlement_flow social_security_base land_area import_export audited audit_report_code
market_cap_est valuation_usd equity_raised_qualified_3y equity_raised_qualified_2y prof_equity_24m
prof_equity_12m equity_dilution_pct placements_24m
rd_expense rd_invest rd_domestic_pct rd_staff tech_staff rd_institution_level class1_ip
class1_ip_self class1_ip_high_value class1_ip_effective class1_ip_top3_owner class2_ip
class2_ip_any ip_transferred_in invention_patents pct_patents standards_led standards_joined
st_award_level st_award_rank st_award_date maker_contest_rank results_per_year new_lab_created
join_major_project tech_field
niche_start_on years_in_niche niche_name main_product_8code niche_share_national_pct
niche_rank_national niche_rank_global niche_rank_province main_product_field fills_gap_flag
supplies_chain_leader chain_position time_honored_brand own_brand trademarks
quality_award_level iso_cert
product_cert_overseas digital_level smart_factory_level info_system_core green_title
quality_benchmark_level standard_leader_level standard_leader_on four_new_tag local_feature_tag
irreplaceable_ip srdi_platform_score provincial_feature_score
loan_balance unsecured_balance loan_maturing_on loan_amount_due arrears_days five_class
credit_bureau_consent receivables receivables_top5 receivable_debtor_type ip_pledged_value
guarantee_balance guarantee_fee_pct loan_purpose need_type park_entry_on in_micro_park
managers_trained events_attended technicians_new senior_technicians_new senior_upgraded
prior_awards
"""
LAW_FIELDS = _LAW.split()

# Fields that live under another name: kinds of events, tiers of titles, child tables.
ELSEWHERE = {
    "relocated_in_on": "firms.city_in_on",
    "quoted_market": "events.board",
    "is_listed": "events.kind=listed",
    "titles": "titles",
    "muni_srdi_title": "titles.tier=srdi_municipal",
    "abnormal_list": "events.kind=abnormal_list",
    "dishonest_list": "events.kind=dishonest_list",
    "incident_major_3y": "events.kind=accident_major",
    "tax_evasion_3y": "events.kind=tax_evasion",
    "data_fraud_flag": "events.kind=data_fraud",
    "minor_offence_exempt": "events.exempt_minor",
    "park_entry_on": "events.kind=park_entry",
    "in_micro_park": "events.kind=park_entry",  # entered and not left: ended_on is empty
    "prior_awards": "awards",
}
DERIVED = {
    "rule_as_of": "the date of a question, never a fact about a firm",
    "years_since_founded": "as_of minus founded_on",
    "neeq_months": "as_of minus the event quoted on a NEEQ board",
}
# Keys, and fields that by nature speak both of a firm-year and of a credit-year.
SHARED_NAMES = {"firm_id", "year", "district"}

_GENERAL = """
current_assets noncurrent_assets current_liabilities noncurrent_liabilities inventories receivables
cash retained_earnings operating_profit profit_before_tax interest_expense share_capital net_assets
other_operating_income reporting_basis currency audit_opinion gross_margin_pct net_margin_pct
debt_ratio_pct current_ratio quick_ratio asset_turnover inventory_turnover receivable_days roe_pct
eps revenue_growth_pct net_profit_growth_pct interest_cover operating_margin_pct equity_ratio_pct
return_on_assets_pct
"""
GENERAL_ACCOUNTS = _GENERAL.split()


def _homes(field: str) -> list[str]:
    return [t.name for t in REGISTER.tables.values() if field in t.columns]


@pytest.mark.parametrize("field", [f for f in LAW_FIELDS if f not in SHARED_NAMES])
def test_every_field_of_the_law_has_exactly_one_place(field: str) -> None:
    homes = _homes(field)
    if field in DERIVED:
        assert homes == []
        assert field not in ELSEWHERE
    elif field in ELSEWHERE:
        address, _, code = ELSEWHERE[field].partition("=")
        table, _, column = address.partition(".")
        assert table in REGISTER.tables
        if column:
            assert not code or code in REGISTER.column(table, column).codes
        assert all(home == table for home in homes)  # titles[] is a table; abnormal_list a kind
    else:
        assert len(homes) == 1, f"{field} is in {homes}"


def test_the_list_of_the_law_is_whole_and_names_no_field_twice() -> None:
    assert len(LAW_FIELDS) == len(set(LAW_FIELDS))
    assert {*ELSEWHERE, *DERIVED} <= set(LAW_FIELDS)
    assert not ELSEWHERE.keys() & DERIVED.keys()


@pytest.mark.parametrize("field", GENERAL_ACCOUNTS)
def test_general_accounts_and_reported_ratios_are_annual(field: str) -> None:
    assert _homes(field) == ["annual"]


def test_the_tables_and_keys_are_those_of_the_design() -> None:
    assert {t.name: t.key for t in REGISTER.tables.values()} == {
        "firms": ("firm_id",),
        "annual": ("firm_id", "year"),
        "titles": ("firm_id", "tier", "issued_on"),
        "applications": ("firm_id", "tier", "batch", "purpose"),
        "events": ("firm_id", "kind", "on"),
        "credit": ("firm_id", "year"),
        "attestations": ("firm_id", "criterion", "batch"),
        "materials": ("firm_id", "paper", "issued_on"),
        "awards": ("firm_id", "item", "paid_on"),
        "activities": ("kind", "district", "on"),
        "outcomes": ("firm_id", "year"),
    }


def test_who_owns_a_firm_and_where_it_sits_never_drives_a_chance() -> None:
    for name in (
        "ownership",
        "district",
        "legal_representative",
        "control_group_id",
        "split_group",
    ):
        assert REGISTER.column("firms", name).families == ()
    for table in ("outcomes", "attestations", "materials", "activities", "awards"):
        assert all(c.families == () for c in REGISTER.tables[table].columns.values())


def test_titles_and_honours_never_enter_distress() -> None:
    for table in ("titles", "applications"):
        assert all("distress" not in c.families for c in REGISTER.tables[table].columns.values())
    for name in (
        "green_title",
        "smart_factory_level",
        "quality_award_level",
        "srdi_platform_score",
    ):
        assert "distress" not in REGISTER.column("annual", name).families


def test_lending_data_enters_distress_only() -> None:
    columns = REGISTER.tables["credit"].columns.values()
    assert all(set(c.families) <= {"distress"} for c in columns)


def test_one_applies_for_the_tiers_that_are_held() -> None:
    held = REGISTER.column("titles", "tier").codes
    assert REGISTER.column("applications", "tier").codes == held


def test_dates_that_may_lie_ahead_are_the_deadlines() -> None:
    ahead = {f"{c.table}.{c.name}" for c in COLUMNS if c.future}
    assert ahead == {
        "titles.expires_on",
        "titles.review_due",
        "titles.ban_until",
        "credit.loan_maturing_on",
        "attestations.valid_until",
        "materials.valid_until",
    }


def test_ranks_follow_the_order_of_the_codes() -> None:
    five = REGISTER.column("credit", "five_class")
    assert five.numeric
    assert (five.ranks["normal"], five.ranks["loss"]) == (0, 4)
    assert not REGISTER.column("events", "kind").numeric
    assert REGISTER.column("events", "kind").ranks == {}


def test_headers_and_codes_are_recognised_in_any_width_case_and_spacing() -> None:
    headers = REGISTER.tables["annual"].headers()
    for typed in ("营业收入", "REVENUE", " 营 收 ", "Revenue"):
        assert headers[fold(typed)] == "revenue"
    assert headers[fold("ｉ类知识产权")] == "class1_ip"
    kinds = REGISTER.column("events", "kind").spellings()
    assert kinds[fold("贷款逾期９０天以上")] == "default_90d"
    assert REGISTER.column("annual", "reporting_basis").spellings()["cfs"] == "consolidated"


def test_an_unknown_column_is_not_found_by_name() -> None:
    with pytest.raises(NotFound, match=r"No column annual\.revenues"):
        REGISTER.column("annual", "revenues")


# ------------------------------------------------------------------ a wrong declaration

GOOD = 'table = { zh = "表", en = "T" }\nid = { zh = "号", en = "Id", type = "text", key = true }\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'x = { zh = "甲", en = "X", type = "float", lo = 0 }',
            r"t\.x has unknown fields \['lo'\]",
        ),
        ('x = { zh = "甲", en = "X", type = "float", extra = true }', "unknown fields"),
        ('x = { zh = "甲", en = "X" }', "must have the field 'type'"),
        ('x = { zh = "", en = "X", type = "text" }', "must have a zh and an en label"),
        ('x = { zh = "甲", en = "X", type = "money" }', "type must be one of"),
        (
            'x = { zh = "甲", en = "X", type = "float", low = 2, high = 1 }',
            "low must not exceed high",
        ),
        ('x = { zh = "甲", en = "X", type = "text", low = 2 }', "only numbers have bounds"),
        ('x = { zh = "甲", en = "X", type = "int", families = ["fame"] }', "families are"),
        ('x = { zh = "甲", en = "X", type = "int", direction = 2 }', "direction must be"),
        ('x = { zh = "甲", en = "X", type = "code" }', "must list codes"),
        (
            'x = { zh = "甲", en = "X", type = "text", codes = { a = [] } }',
            "only types code and set",
        ),
        ('x = { zh = "甲", en = "X", type = "text", ordinal = true }', "only codes are ordinal"),
        ('x = { zh = "甲", en = "X", type = "text", future = true }', "only dates lie ahead"),
        ('x = { zh = "甲", en = "X", type = "text", key = true }\ny = 3', r"t\.y must be a table"),
        ('x = { zh = "号", en = "X", type = "text" }', "one thing, not '号' for id and x"),
        ('x = { zh = "甲", en = "X", type = "int", aliases = ["ＩＤ"] }', "'ＩＤ' for id and x"),
        (
            'x = { zh = "甲", en = "X", type = "code", codes = { a = ["一"], b = ["一"] } }',
            r"codes of t\.x a spelling must mean one thing",
        ),
        (
            'x = { zh = "甲", en = "X", type = "int" }\n'
            'y = { zh = "乙", en = "Y", type = "int", key = true }',
            "Keys of t must come first",
        ),
        ('[codes.z]\na = ["一"]', "name no column"),
    ],
)
def test_a_wrong_declaration_is_refused_with_what_was_found(line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_table("t", f"{GOOD}{line}\n")


def test_a_table_needs_labels_and_a_key() -> None:
    with pytest.raises(DataError, match="must begin with its labels"):
        parse_table("t", 'x = { zh = "甲", en = "X", type = "int" }')
    with pytest.raises(DataError, match="must have a key column"):
        parse_table(
            "t", 'table = { zh = "表", en = "T" }\nx = { zh = "甲", en = "X", type = "int" }'
        )


def test_every_family_has_columns() -> None:
    for family in FAMILIES:
        assert sum(family in c.families and c.numeric for c in COLUMNS) > 60
