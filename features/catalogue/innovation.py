"""Innovation: research spending, people, and intellectual property as stock and as flow."""

from __future__ import annotations

from features.catalogue.measures import RD_RATIO, REVENUE, feature
from features.expr import change, col, first_known, log, mean, peer, ratio

__all__ = ["FEATURES"]

PLACE = "innovation.novel"
STAFF = ratio(col("rd_staff"), col("employees"))
INVENTIONS = col("invention_patents")
CLASS1 = col("class1_ip")

FEATURES = (
    feature("rd_ratio | 研发强度 | R&D intensity | %", RD_RATIO, PLACE, +1),
    feature(
        "rd_ratio_change | 研发强度变化 | Change of R&D intensity | %", change(RD_RATIO, 1), PLACE
    ),
    feature(
        "rd_ratio_peer | 研发强度同行位置 | R&D intensity among peers | %",
        peer(RD_RATIO),
        PLACE,
        +1,
    ),
    feature(
        "rd_ratio_mean | 近两年研发强度 | R&D intensity, 2 years | %",
        mean(RD_RATIO, RD_RATIO.lag(1)),
        PLACE,
        +1,
    ),
    feature("rd_expense | 研发费用 | R&D expense | ln 万元", log(col("rd_expense")), PLACE, +1),
    feature(
        "rd_invest_ratio | 研发投入占收入 | R&D investment to revenue | %",
        ratio(col("rd_invest"), REVENUE),
        PLACE,
        +1,
    ),
    feature("rd_staff_share | 研发人员占比 | Share of R&D staff | %", STAFF, PLACE, +1),
    feature(
        "rd_staff_change | 研发人员占比变化 | Change of share of R&D staff | %",
        change(STAFF, 1),
        PLACE,
    ),
    feature(
        "tech_staff_share | 科技人员占比 | Share of technical staff | %",
        ratio(col("tech_staff"), col("employees")),
        PLACE,
        +1,
    ),
    feature(
        "class1_ip | Ⅰ类知识产权 | Class I intellectual property | ln 项", log(CLASS1), PLACE, +1
    ),
    feature(
        "class1_ip_new | Ⅰ类知识产权净增 | Added class I intellectual property | 项",
        change(CLASS1, 1),
        PLACE,
        +1,
    ),
    feature(
        "class1_ip_peer | Ⅰ类知识产权同行位置 | Class I IP among peers | %", peer(CLASS1), PLACE, +1
    ),
    feature(
        "class1_ip_self | 自主研发Ⅰ类知识产权 | Own class I intellectual property | ln 项",
        log(col("class1_ip_self")),
        PLACE,
        +1,
    ),
    feature(
        "class1_ip_effective | 产生效益的Ⅰ类知识产权 | Class I IP in use | ln 项",
        log(col("class1_ip_effective")),
        PLACE,
        +1,
    ),
    feature(
        "class2_ip | Ⅱ类知识产权 | Class II intellectual property | ln 项",
        log(col("class2_ip")),
        PLACE,
        +1,
    ),
    feature("invention_patents | 发明专利 | Invention patents | ln 项", log(INVENTIONS), PLACE, +1),
    feature(
        "invention_patents_new | 发明专利净增 | Added invention patents | 项",
        change(INVENTIONS, 1),
        PLACE,
        +1,
    ),
    feature(
        "patents_per_employee | 百人发明专利 | Invention patents per 100 staff | 项",
        ratio(first_known(INVENTIONS, CLASS1), col("employees")),
        PLACE,
        +1,
    ),
    feature(
        "rd_institution | 研发机构级别 | Level of R&D institution | 级",
        col("rd_institution_level"),
        PLACE,
        +1,
    ),
    feature(
        "high_tech_share | 高新产品收入占比 | Share of high-tech products | %",
        ratio(col("high_tech_revenue"), REVENUE),
        PLACE,
        +1,
    ),
    feature(
        "results_per_year | 年均成果转化 | Results put to use a year | 项",
        col("results_per_year"),
        PLACE,
        +1,
    ),
)
