"""Facts: every row has unit, edition, source and licence, and a row without them is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench import facts

TABLES = sorted(path.stem for path in Path(facts.HERE).glob("*.csv"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(facts, "HERE", tmp_path)
    facts.table.cache_clear()
    yield tmp_path
    facts.table.cache_clear()


def _write(path: Path, **changes: str) -> None:
    row = {"key": "k", "label": "l", "value": "1.5", "unit": "kWh", "edition": "2024"}
    row |= {"basis": "b", "source": "s", "source_url": "", "licence": "CC0", "note": ""}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row | changes)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_loads_and_says_nothing_unchecked(name):
    table = facts.table(name)
    assert table
    for fact in table.values():
        assert "unverified" not in " ".join((fact.source, fact.note, fact.licence)).lower()
        assert fact.source_url == "" or fact.source_url.startswith("https://")


@pytest.mark.parametrize("column", facts.REQUIRED)
def test_a_row_that_lacks_something_is_refused(folder, column):
    _write(folder / "made.csv")
    assert facts.table("made")["k"].value == 1.5
    facts.table.cache_clear()
    _write(folder / "made.csv", **{column: " "})
    with pytest.raises(ValueError, match=column):
        facts.table("made")


@pytest.mark.parametrize("value", ["", "0", "-3", "nan", "inf", "12 kWh"])
def test_a_row_without_a_positive_value_is_refused(folder, value):
    _write(folder / "made.csv", value=value)
    with pytest.raises(ValueError, match="positive number"):
        facts.table("made")


def test_the_figures_that_the_project_quotes():
    charges = {k: f.value for k, f in facts.equivalences().items() if k.startswith("phone")}
    assert charges == {
        "phone-charge/epa-current": 0.019,
        "phone-charge/epa-2019": 0.012,
        "phone-charge/epa-2024-01": 0.022,
        "phone-charge/iea-2025": 0.015,
    }
    grids = facts.grids()
    assert (grids["world"].value, grids["FR"].value) == (472.94, 44.18)
    same_table = {
        (grids[k].basis, grids[k].edition, grids[k].source) for k in ("world", "FR", "US")
    }
    assert len(same_table) == 1
    assert (grids["US-WV"].value, grids["US-WV"].basis) == (893.06, "direct combustion")


def test_share_alike_rows_keep_their_notice():
    for fact in facts.grids().values():
        assert fact.licence == ("CC BY-SA 4.0" if "Ember" in fact.source else "US government work")
