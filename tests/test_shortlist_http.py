"""Shortlists over HTTP: saved once, read as saved, decided by clauses, exported safely."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from http_client import Client, point_at
from sample_publication import casework, publication

from serving.access import LOCAL, ROUTES, Forbidden, Role, Viewer, allow
from serving.app import Config, create_app
from serving.shortlist.answers import decided, row_of, shown, task_of
from serving.shortlist.export import COLUMNS, FORMULA, MEDIA, SOURCE, exported
from serving.shortlist.kept import Saved
from serving.snapshot import write
from serving.wire_decisions import Decided, Decisions
from serving.wire_shortlists import Shortlist, Shortlists
from tidu.digest import canonical_json, of_bytes
from tidu.errors import NotFound, UsageError

TASK = "promotion:little_giant@12"
ASK = {"tier": "little_giant", "k": 8}
OWN = ("shortlist_id", "number", "hash", "saved_by", "saved_at", "hidden")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("home")
    point_at(home, write(publication(60, tasks=(TASK, "growth@36")), home))
    app = create_app(Config(home, casework=casework()))
    app.state.follower.look()
    yield Client(app)
    app.state.follower.close()
    app.state.pool.close()
    app.state.cases.close()
    app.state.desk.close()


def post(client: Client, address: str, body: Any, key: str) -> Any:
    headers = {"Idempotency-Key": key}
    return client.ask("POST", address, json=body, headers=headers)


def saved(client: Client, key: str = "k", **more: Any) -> dict[str, Any]:
    answer = post(client, "/v1/shortlists", ASK | more, key)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_list_is_kept_under_the_hash_of_its_content(client: Client) -> None:
    made = saved(client, "hash")
    Shortlist.model_validate(made)
    content = {name: value for name, value in made.items() if name not in OWN}
    assert made["hash"] == of_bytes(canonical_json(content))
    again = client.get(f"/v1/shortlists/{made['shortlist_id']}")
    assert again.json() == made
    assert client.get(f"/v1/shortlists/{made['shortlist_id']}x").status_code == 404
    assert [row["place"] for row in made["items"]] == list(range(1, 9))


def test_the_same_request_saves_once(client: Client) -> None:
    first, again = (
        post(client, "/v1/shortlists", ASK, "twice"),
        post(client, "/v1/shortlists", ASK, "twice"),
    )
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = post(client, "/v1/shortlists", ASK | {"k": 9}, "twice")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    bare = client.ask("POST", "/v1/shortlists", json=ASK)
    assert (bare.status_code, bare.json()["code"]) == (400, "usage")


def test_a_list_that_is_not_saved_leaves_nothing(client: Client) -> None:
    before = client.get("/v1/shortlists").json()["total"]
    answer = client.ask("POST", "/v1/shortlists", json=ASK | {"save": False})
    assert answer.status_code == 200, answer.text
    Shortlist.model_validate(answer.json())
    assert answer.json()["shortlist_id"] is None
    assert client.get("/v1/shortlists").json()["total"] == before


def test_pages_hold_every_saved_list_once(client: Client) -> None:
    names = {saved(client, f"page{i}", k=3 + i)["shortlist_id"] for i in range(3)}
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(
            "/v1/shortlists", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        )
        Shortlists.model_validate(page.json())
        seen += [item["shortlist_id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert len(seen) == len(set(seen)) == page.json()["total"]
    assert names <= set(seen)
    firms = client.get("/v1/firms?limit=1").json()["next_cursor"]
    assert client.get("/v1/shortlists", params={"cursor": firms}).status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "neither"),
        ({"task": TASK, "tier": "little_giant"}, 400, "both"),
        ({"tier": "little_gaint"}, 400, "little_giant"),
        ({"tier": "single_champion"}, 404, TASK),
        ({"tier": "little_giant", "k": 0}, 422, "greater than or equal"),
        ({"tier": "little_giant", "mode": "promote"}, 400, "upgrade"),
        ({"tier": "little_giant", "include": ["F000000"]}, 400, "已持有该层级的有效称号"),
        ({"tier": "little_giant", "include": ["A"], "exclude": ["A"]}, 400, "both for A"),
        ({"tier": "little_giant", "exclude": ["F0000O1"]}, 400, "found 1 that are not: F0000O1"),
        ({"tier": "little_giant", "k": True}, 422, "valid integer"),
        ({"tier": "little_giant", "k": "5"}, 422, "valid integer"),
        ({"tier": "little_giant", "color": "red"}, 422, "color"),
    ],
)
def test_a_wrong_request_is_told_what_to_do(
    client: Client, body: dict[str, Any], status: int, said: str
) -> None:
    answer = post(client, "/v1/shortlists", body, f"wrong {body}")
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert said in str(problem)
    assert problem["cure"]
    mended = post(client, "/v1/shortlists", ASK, f"wrong {body}")
    assert mended.status_code == 200, "a refused request gives its key back"


@pytest.mark.parametrize("field", ["tier", "mode", "districts", "include"])
def test_half_a_character_is_a_problem_of_the_request(client: Client, field: str) -> None:
    half = r'"\ud800"' if field in ("tier", "mode") else r'["\ud800"]'
    body = f'{{"k": 3, "{field}": {half}}}'
    headers = {"Idempotency-Key": f"half {field}", "Content-Type": "application/json"}
    answer = client.ask("POST", "/v1/shortlists", content=body.encode(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_decisions_append_and_cite_the_firms_own_codes(client: Client) -> None:
    made = saved(client, "decide", k=30)
    address = f"/v1/shortlists/{made['shortlist_id']}/decisions"
    row = next(r for r in made["items"] if r["grounds"]["refuse"] and r["grounds"]["return"])
    firm = row["firm_id"]
    wrong = {"firm_id": firm, "decision": "不推荐", "grounds": ["排名"], "note": ""}
    answer = post(client, address, wrong, "d0")
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
    assert "行政决定只引用条款" in answer.json()["detail"]
    noted = {"firm_id": firm, "decision": "refuse", "grounds": row["grounds"]["refuse"][:1]}
    answer = post(client, address, noted | {"note": "概率太低"}, "d1")
    assert (answer.status_code, answer.json()["reason"]) == (409, "行政决定只引用条款")
    first = post(client, address, noted, "d2")
    assert first.status_code == 200, first.text
    Decided.model_validate(first.json())
    assert post(client, address, noted, "d2").content == first.content
    second = {"firm_id": firm, "decision": "return", "grounds": row["grounds"]["return"][:2]}
    assert post(client, address, second, "d3").status_code == 200
    found = client.get(address).json()
    Decisions.model_validate(found)
    assert [one["decision"] for one in found["items"]] == ["refuse", "return"]
    assert found["latest"][firm]["decision"] == "return"
    assert set(found["undecided"]) == {r["firm_id"] for r in made["items"]} - {firm}
    assert client.get(f"/v1/shortlists/{made['shortlist_id']}").json() == made
    stranger = {"firm_id": "F000000", "decision": "recommend"}
    assert post(client, address, stranger, "d4").status_code == 404


def test_a_viewer_of_a_district_sees_its_rows_alone(client: Client) -> None:
    made = saved(client, "district", k=40)
    body = {name: value for name, value in made.items() if name not in OWN}
    kept = Saved("i", 1, made["hash"], "li", "t", body)
    official = Viewer("x", frozenset({"official"}), frozenset({"区1"}))
    seen = shown(kept, official)
    assert {row["district"] for row in seen["items"]} == {"区1"}
    assert seen["hidden"] == 40 - len(seen["items"])
    clashes = [(row["district"], c) for row in made["items"] for c in row["conflicts"]]
    district = {row["firm_id"]: row["district"] for row in made["items"]}
    told = [one["firm_id"] for where, c in clashes if where == "区1" for one in c["with"]]
    strange = {firm for firm in told if district.get(firm, "区1") != "区1"}
    assert strange, "some firm of the group must be listed elsewhere"
    assert not strange & {firm for firm in district if firm in str(seen["items"])}
    assert "其他区县企业" in str(seen["items"])
    assert "a firm of another district" in str(seen["items"])
    assert [d["district"] for d in seen["districts"]] == ["区1"]
    other = next(row["firm_id"] for row in body["items"] if row["district"] != "区1")
    with pytest.raises(NotFound):
        row_of(kept, official, other)
    assert other not in decided(kept, (), official)["undecided"]
    assert shown(kept, LOCAL)["hidden"] == 0


@pytest.mark.parametrize("role", ["bank", "analyst", "admin", "public"])
def test_lists_and_comparisons_are_for_officials_alone(role: Role) -> None:
    stranger = Viewer("x", frozenset({role}))
    own = [row for row in ROUTES if "shortlists" in row.route or row.route.endswith("/compare")]
    assert len(own) >= 7
    for row in own:
        with pytest.raises(Forbidden, match="must be called as official"):
            allow(row, stranger)
        allow(row, LOCAL)


def test_a_task_is_named_by_itself_or_by_a_tier() -> None:
    assert task_of("", "little_giant", ()) == TASK
    assert task_of("growth", "", ["growth@36", TASK]) == "growth@36"
    assert task_of("growth@12", "", ["growth@36"]) == "growth@12"
    with pytest.raises(UsageError):
        task_of("a", "b", ())


# ------------------------------------------------------------------------------------- exports


def hostile(made: dict[str, Any]) -> dict[str, Any]:
    """The same list whose firms are named as nobody should be."""
    names = [
        '=HYPERLINK("http://x","y")',
        "＝1+1",
        "+1",
        "-1",
        "@x",
        "<script>alert(1)</script>",
        'a,"b"\n',
    ]
    rows = [
        row
        | {
            "name": names[i % len(names)],
            "district": ["=1+1", "A/B:C", "a/b:c", None, "History"][i % 5],
        }
        for i, row in enumerate(made["items"])
    ]
    return made | {"items": rows}


def test_csv_is_read_back_and_starts_no_formula(client: Client) -> None:
    made = hostile(saved(client, "csv"))
    text = exported(made, "csv", "zh").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == [words[0] for words in (*COLUMNS.values(), *SOURCE.values())]
    edition = made["edition"]["edition"]
    source = [made[name] for name in ("shortlist_id", "as_of", "snapshot_id", "model_version")]
    assert all(row[-len(SOURCE) :] == [*source, edition] for row in rows[1:])
    assert len(rows) == 1 + len(made["items"])
    assert [row[1] for row in rows[1:]] == [row["firm_id"] for row in made["items"]]
    assert not any(cell.startswith(FORMULA) for row in rows for cell in row)
    assert rows[1][2] == "'" + made["items"][0]["name"]


def test_a_workbook_has_a_sheet_a_district_and_text_cells(client: Client, tmp_path: Path) -> None:
    made = hostile(saved(client, "xlsx"))
    content = exported(made, "xlsx", "zh")
    assert content == exported(made, "xlsx", "zh")
    (tmp_path / "x.xlsx").write_bytes(content)
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert book.sheetnames == ["说明", "全部", "区县未知", "=1+1", "A_B_C", "History_2", "a_b_c_2"]
    whole = list(book["全部"].iter_rows(min_row=2))
    assert [row[1].value for row in whole] == [row["firm_id"] for row in made["items"]]
    for sheet in book:
        for row in sheet.iter_rows():
            assert all(cell.data_type in ("s", "n") and not cell.hyperlink for cell in row)
    by_sheet = [
        row[1].value for name in book.sheetnames[2:] for row in book[name].iter_rows(min_row=2)
    ]
    assert sorted(by_sheet) == sorted(row["firm_id"] for row in made["items"])


def test_a_page_for_print_is_escaped_and_stands_alone(client: Client) -> None:
    made = hostile(saved(client, "html"))
    page = exported(made, "html", "en").decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http://" not in page.replace("http://x", "")
    assert made["hash"] in page
    assert "administrative decisions cite clauses" in page


@pytest.mark.parametrize("form", MEDIA)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_exports_over_http(client: Client, form: str, lang: str) -> None:
    made = saved(client, "hash")
    answer = client.get(f"/v1/shortlists/{made['shortlist_id']}/export?format={form}&lang={lang}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA[form]
    assert answer.content == exported(made, form, lang)
    told = answer.headers["content-disposition"]
    assert told.startswith("inline" if form == "html" else "attachment")
