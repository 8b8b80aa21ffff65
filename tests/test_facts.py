"""Fact tables: every row has unit, edition, source and licence; other rows are refused."""

from __future__ import annotations

import csv
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.impact import facts
from bench.impact.claims import load_claims

NEWSPAPERS = ("datacenterdynamics.com", "computerweekly.com", "thefreesheet.com")
TABLES = sorted(path.stem for path in Path(facts.FOLDER).glob("*.csv"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "checks").mkdir()
    ranges = "tables,keys,unit,low,high,reason\nexample,*,kWh,0,1000,an example\n"
    (tmp_path / "checks/ranges.csv").write_text(ranges)
    monkeypatch.setattr(facts, "FOLDER", tmp_path)
    facts.table.cache_clear()
    facts._ranges.cache_clear()
    yield tmp_path
    facts.table.cache_clear()
    facts._ranges.cache_clear()


def _write(path: Path, **changes: str) -> None:
    row = {"key": "k", "label": "l", "value": "1.5", "unit": "kWh", "edition": "2024"}
    row |= {"basis": "b", "source": "s", "source_url": "", "licence": "CC0", "note": ""}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row | changes)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_loads_and_has_no_unverified_row(name):
    table = facts.table(name)
    assert table
    for fact in table.values():
        assert "unverified" not in " ".join((fact.source, fact.note, fact.licence)).lower()
        assert fact.source_url == "" or fact.source_url.startswith("https://")


@pytest.mark.parametrize("name", TABLES)
def test_every_value_is_in_the_plausible_range_of_its_kind(name):
    for fact in facts.table(name).values():
        low, high = facts.plausible_range(name, fact)
        assert low <= fact.value <= high, fact
        assert high <= 1e9, "a range that excludes nothing"


def test_every_plausible_range_covers_a_fact():
    every = [(name, fact) for name in facts.tables() for fact in facts.table(name).values()]
    for row in facts.read_rows(facts.FOLDER / "checks/ranges.csv"):
        assert float(row["low"]) < float(row["high"]) and row["reason"], row
        assert [
            fact
            for name, fact in every
            if name in row["tables"].split()
            and fnmatchcase(fact.key, row["keys"])
            and fnmatchcase(fact.unit, row["unit"])
        ], row


def test_value_outside_the_plausible_range_is_refused(folder):
    _write(folder / "example.csv", value="7.7e7")
    with pytest.raises(ValueError, match=r"line 2: 7.7e\+07 kWh is not from 0 to 1000"):
        facts.table("example")
    _write(folder / "example.csv", unit="furlong")
    with pytest.raises(ValueError, match="no plausible range in furlong"):
        facts.table("example")


def test_cloud_regions_of_2021_have_no_lost_decimal_point():
    table = facts.table("grid_clouds_2021")
    values = (table[f"azure:{name}"].value for name in ("finlandcentral", "germanywestcentral"))
    assert tuple(values) == (77, 402)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_a_page_as_its_source(name):
    for fact in facts.table(name).values():
        if fact.edition == "definition":
            continue
        page = urlsplit(fact.source_url)
        assert page.netloc and (page.path.strip("/") or page.query), fact
        assert not page.netloc.endswith(NEWSPAPERS), fact
        assert "undated" not in fact.edition and "wikipedia" not in fact.source.lower(), fact
        assert "via DCD" not in fact.source and "product data" not in fact.source, fact


@pytest.mark.parametrize("column", facts.REQUIRED)
def test_row_without_a_required_field_is_refused(folder, column):
    _write(folder / "example.csv")
    assert facts.table("example")["k"].value == 1.5
    facts.table.cache_clear()
    _write(folder / "example.csv", **{column: " "})
    with pytest.raises(ValueError, match=column):
        facts.table("example")


@pytest.mark.parametrize("value", ["", "0", "-3", "nan", "inf", "12 kWh"])
def test_row_without_a_positive_value_is_refused(folder, value):
    _write(folder / "example.csv", value=value)
    with pytest.raises(ValueError, match="positive number"):
        facts.table("example")


def test_values_that_the_documents_quote():
    charges = {k: f.value for k, f in facts.table("equivalences").items() if k.startswith("phone")}
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


def test_tables_do_not_mix_licences():
    for name in facts.tables():
        licences = {fact.licence for fact in facts.table(name).values()}
        assert not any("ODbL" in licence or "AGPL" in licence for licence in licences), name
        share_alike = {licence for licence in licences if "SA" in licence}
        assert share_alike == ({"CC BY-SA 4.0"} if name == "grid" else set()), name
        assert len(licences) == 1 or name in {
            "grid_provinces",
            "cloud",
            "embodied",
            "calculator",
        }, name
    readme = (Path(facts.FOLDER) / "README.md").read_text()
    assert all(f"`{name}.csv`" in readme for name in facts.tables())


def test_zero_needs_a_note_that_it_is_published(folder):
    _write(folder / "example.csv", value="0", note="0 as published; read in a table")
    assert facts.table("example")["k"].value == 0


def test_known_errors_of_other_tools_are_absent():
    assert facts.table("gpu")["nvidia-v100-sxm2-16-32gb"].value == 300
    assert facts.table("gpu")["nvidia-v100-pcie"].value == 250
    assert not [key for key in facts.table("gpu") if "v5e" in key]
    every = [fact for name in facts.tables() for fact in facts.table(name).values()]
    assert not [fact for fact in every if fact.value == 97 and "TV" in fact.label]
    provinces = facts.table("grid_provinces")
    assert "CA-MT" not in provinces and provinces["CA-MB"].label == "Manitoba"
    bases = {fact.basis for key, fact in provinces.items() if key.startswith("CA-")}
    assert bases == {"direct combustion"}, "direct and life-cycle factors are not mixed"


def test_sources_that_disagree_give_a_range():
    h100 = facts.embodied_range("gpu/nvidia-h100")
    assert (h100.low, h100.value, h100.high) == (164.0, 164.0, 164.0 * 3.5)
    water = facts.water_range("US")
    assert water is not None and (water.low, water.high) == (3.1321, 4.35)
    assert facts.water_range("nowhere") is None
    with pytest.raises(ValueError, match="gpu/nvidia-h100"):
        facts.embodied_range("gpu/abacus")


def test_long_tables_are_grouped_by_subject():
    bloom = facts.training_runs()["bloom-176b"]
    assert (bloom["device-hours"].value, bloom["device-power"].value) == (1082990, 400)
    assert facts.training_runs()["gpt-3-175b"]["energy"].value == 1_287_000
    assert facts.clouds()["aws:eu-west-3"]["market"].value == 0
    assert facts.datacenters("pue")["jean-zay-2022"].value == 1.2
    assert facts.table("inference")["bloom-api/requests"].value == 230_768
    assert facts.table("gpu_peak").keys() <= facts.table("gpu").keys()
    claims = load_claims()
    assert len(claims) == 24 and sum(len(claim.quantities) for claim in claims) == 58
    assert all(claim.caveat and claim.source for claim in claims)


def test_every_cloud_region_lies_in_a_place_with_a_grid_factor():
    assert {region["place"] for region in facts.cloud_regions().values()} <= facts.grids().keys()
    clouds = {key for name in ("grid_google", "grid_clouds_2021") for key in facts.table(name)}
    assert clouds | facts.clouds().keys() <= facts.cloud_regions().keys()
