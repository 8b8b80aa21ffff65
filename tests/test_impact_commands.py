"""The commands facts, show --equivalences, where, export and import: output and bad input."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import error_of, joulebench, json_lines
from synthetic_results import result_with_energy

from bench.results import storage
from bench.results.calibration import energy_with_calibration


def test_facts_of_a_region_have_source_and_licence():
    fact = json_lines("facts", "grid", "--region", "FR", "--json")[0]
    assert (fact["key"], fact["value"], fact["basis"]) == ("FR", 44.18, "life-cycle")
    assert fact["licence"] == "CC BY-SA 4.0" and fact["source"] and fact["edition"] == "2024"
    output = joulebench("facts", "--region", "aws:eu-west-3").stdout
    assert "CC BY-SA 4.0" in output and "market-based" in output and "L/kWh" in output


def test_facts_lists_all_tables():
    output = joulebench("facts").stdout
    assert "equivalences" in output and "CC BY-SA 4.0" in output


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "synthetic.json"
    storage.save_result(result_with_energy(0.3, 0.02, kind="modelled"), path)
    return str(path)


def test_equivalences_of_a_modelled_result_are_labelled(result):
    output = joulebench("show", result, "--equivalences", "--region", "FR").stdout
    assert "NOT measured" in output and "Paris to London" in output and "France" in output
    rows = json_lines("show", result, "--equivalences", "--json")
    assert {each["kind"] for each in rows} == {"modelled, NOT measured"}
    grams = next(each for each in rows if each["unit"] == "gCO2e")
    assert grams["high"] > 20 * grams["low"], "an unknown region is a range"


def test_where_ranks_regions_of_one_basis(result):
    rows = json_lines("where", result, "--json")
    assert len(rows) > 200 and {each["basis"] for each in rows} == {"life-cycle"}
    assert {each["approach"] for each in rows} == {"average"}
    assert "modelled, NOT measured" in rows[0]["work"]
    values = [each["location_based"]["value"] for each in rows]
    assert values == sorted(values)
    france, us = json_lines(
        "where", "--kwh", "1287000", "--region", "FR", "--region", "US", "--json"
    )
    assert us["location_based"]["value"] / france["location_based"]["value"] == pytest.approx(
        8.68153, rel=1e-5
    )


def test_where_ranks_each_basis_for_itself():
    output = joulebench("where", "--kwh", "1", "--region", "US-WV", "--region", "FR").stdout
    life_cycle, direct = output.split("year, direct combustion")
    assert "1  France" in life_cycle and "*  West Virginia" in life_cycle
    assert "1  West Virginia" in direct and "France" not in direct
    assert "that of United States is shown" in " ".join(life_cycle.split())
    rows = json_lines("where", "--kwh", "1", "--among", "clouds", "--json")
    ohio = [row for row in rows if row["region"] == "aws:us-east-2"]
    assert [(row["basis"], row["borrowed_from"]) for row in ohio] == [
        ("life-cycle", "United States"),
        ("direct combustion", None),
    ]
    assert ohio[0]["rank"] is None and ohio[1]["rank"] > 1
    assert "PUE 1: the machines alone" in output


def test_where_prints_market_based_and_water_and_saves_a_plot(result, tmp_path):
    output = joulebench("where", result, "--among", "aws", "--out", str(tmp_path)).stdout
    assert "market-based" in output and "location-based" in output and "NOT measured" in output
    assert (tmp_path / "where.png").is_file() and (tmp_path / "where.svg").is_file()
    water = joulebench("where", "--kwh", "1000", "--among", "aws", "--water").stdout
    assert "off site (EWIF)" in water and "on site (WUE)" in water


def test_where_by_hour_states_the_interval_of_the_energy(result, tmp_path):
    day = tmp_path / "day.csv"
    day.write_text("hour,gco2e_per_kwh\n" + "".join(f"{hour},100\n" for hour in range(24)))
    best = json_lines("where", result, "--hours", str(day), "--json")[0]
    energy = energy_with_calibration(storage.load_result(Path(result)))
    ends = [best[name] for name in ("grams_low", "grams", "grams_high")]
    assert ends == pytest.approx([100 * end for end in (energy.low, energy.value, energy.high)])
    assert " to " in joulebench("where", result, "--hours", str(day)).stdout.split("best  ")[1]


def test_where_ranks_hours_of_a_csv_file(tmp_path):
    day = tmp_path / "day.csv"
    rows = "".join(f"{hour},{100 + hour}\n" for hour in range(24))
    day.write_text("hour,gco2e_per_kwh\n" + rows)
    arguments = ("where", "--kwh", "10", "--hours", str(day), "--job-hours", "3")
    best = json_lines(*arguments, "--json")[0]
    assert (best["start_hour"], best["end_hour"], best["grams"]) == (0, 3, 1010.0)
    assert best["approach"] == "unstated"
    assert "best  00:00 to 03:00" in joulebench(*arguments).stdout
    day.write_text("time,carbon\n0,1\n")
    assert "gco2e_per_kwh" in error_of(*arguments)
    day.write_text("hour,gco2e_per_kwh\n-1,5\n")
    assert "'-1'" in error_of(*arguments)


def test_export_writes_and_import_reads_what_it_wrote(result, tmp_path):
    out = tmp_path / "emissions.csv"
    joulebench("export", "codecarbon", result, "--region", "FR", "--out", str(out))
    (rows,) = json_lines("import", "codecarbon", str(out), "--region", "FR", "--json")
    assert rows["kind"] == "modelled" and rows["grid"] == "France"
    joules = sum(
        r.energy_joules for t in storage.load_result(Path(result)).measured() for r in t.readings
    )
    assert rows["energy_kwh"] == pytest.approx(joules / 3.6e6, rel=1e-14)
    assert "modelled" in joulebench("import", "codecarbon", str(out)).stdout
    assert joulebench("export", "codecarbon", result).stdout.startswith("timestamp,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("where",), "--kwh"),
        (("where", "--kwh", "-1"), "above zero"),
        (("where", "--kwh", "nan"), "above zero"),
        (("where", "--kwh", "1", "--region", "Frnace"), "FR (France)"),
        (("where", "--kwh", "1", "--among", "planets"), "countries"),
        (("where", "--kwh", "1", "--basis", "best"), "life-cycle"),
        (("where", "--kwh", "1", "--hours", "/nowhere.csv"), "cannot be read"),
        (("where", "--kwh", "1", "--live", "electricity-maps"), "--region"),
        (("where", "--kwh", "1", "--live", "oracle", "--region", "FR"), "electricity-maps"),
        (("where", "/nowhere.json"), "cannot be read"),
        (("show", "{result}", "--equivalences", "--region", "Atlantis"), "Atlantis"),
        (("show", "{result}", "--region", "FR"), "--equivalences"),
        (("where", "--kwh", "1", "--published-pue"), "no PUE of World"),
        (("where", "--kwh", "1", "--pue", "1.2", "--published-pue"), "use one of them"),
        (("where", "--kwh", "1", "--region", "Georgia"), "GE (the country), US-GA"),
        (("export", "codecarbon"), "result file"),
        (("export", "codecabron", "{result}"), "codecarbon"),
        (("export", "codecarbon", "{result}", "--region", "Frnace"), "FR (France)"),
        (("export", "codecarbon", "{result}", "--out", "/proc/no/f.csv"), "cannot be written"),
        (("import", "codecarbon", "/nowhere.csv"), "cannot be read"),
        (("import", "codecarbon", "{result}"), "not CodeCarbon's columns"),
    ],
)
def test_bad_input_gives_a_one_sentence_error(result, arguments, message):
    assert message in error_of(*(word.format(result=result) for word in arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("facts", "nope"), "equivalences"),
        (("facts", "--region", "Frnace"), "FR (France)"),
        (("facts", "gpu", "--region", "FR"), "gpu"),
    ],
)
def test_facts_refuses_an_unknown_table_or_region(arguments, message):
    assert message in error_of(*arguments)
