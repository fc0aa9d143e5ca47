"""Small files, their mapping, and what a vault shows of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from features.mapping import Mapping
from features.mapping_build import rebuilt
from features.prepared import Prepared, prepare
from features.vault import Vault

__all__ = ["TODAY", "csv", "files", "mapping", "revenue", "small"]

TODAY = date(2026, 6, 1)


def mapping(name: str = "small", **parts: object) -> Mapping:
    return rebuilt(
        {
            "name": name,
            "source": {
                "authority": "test",
                "legal_basis": "test",
                "purposes": ["test"],
                "valid_until": "2030-12-31",
            },
            "tables": {
                "annual": {
                    "columns": {"firm_id": "id", "year": "year", "revenue": "revenue"},
                    "constants": {"currency": "CNY"},
                }
            },
            **parts,
        }
    )


def csv(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["id,year,revenue", *rows]) + "\n", encoding="utf-8")
    return path


def small(folder: Path, revenue: int = 100, by: Mapping | None = None) -> Prepared:
    file = csv(folder / f"r{revenue}.csv", f"A,2020,{revenue}", "B,2020,50", "A,2021,120")
    return prepare(file, by or mapping(), TODAY)


def revenue(vault: Vault, head: str, day: date = date(2023, 1, 1)) -> dict[tuple[str, int], float]:
    annual = vault.at(head).as_of(day).tables["annual"]
    keys = zip(annual["firm_id"], annual["year"].astype(int), strict=True)
    return dict(zip(keys, annual["revenue"], strict=True)) if len(annual) else {}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }
