"""The commands that say what energy means, as processes: what they print, and bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic_results import result_with_energy

from bench.results import storage


def joulebench(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *words]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == code, process.stderr
    return process


def refused(*words: str) -> str:
    """The one sentence of a refusal; nothing else is said."""
    process = joulebench(*words, code=2)
    assert process.stdout == "" and len(process.stderr.splitlines()) == 1, process.stderr
    assert process.stderr.startswith("joulebench: ") and "Traceback" not in process.stderr
    return process.stderr


def test_facts_of_a_region_with_source_and_licence():
    lines = joulebench("facts", "grid", "--region", "FR", "--json").stdout.splitlines()
    fact = json.loads(lines[0])
    assert (fact["key"], fact["value"], fact["basis"]) == ("FR", 44.18, "life-cycle")
    assert fact["licence"] == "CC BY-SA 4.0" and fact["source"] and fact["edition"] == "2024"
    shown = joulebench("facts", "--region", "aws:eu-west-3").stdout
    assert "CC BY-SA 4.0" in shown and "market-based" in shown and "L/kWh" in shown


def test_facts_lists_its_tables():
    shown = joulebench("facts").stdout
    assert "equivalences" in shown and "CC BY-SA 4.0" in shown


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "made.json"
    storage.save_result(result_with_energy(0.3, 0.02, kind="modelled"), path)
    return str(path)


def lines(*words: str) -> list[dict]:
    return [json.loads(line) for line in joulebench(*words).stdout.splitlines()]


def test_show_equivalences(result):
    shown = joulebench("show", result, "--equivalences", "--region", "FR").stdout
    assert "NOT measured" in shown and "Paris to London" in shown and "France" in shown
    found = lines("show", result, "--equivalences", "--json")
    assert {each["kind"] for each in found} == {"modelled, NOT measured"}
    grams = next(each for each in found if each["unit"] == "gCO2e")
    assert grams["high"] > 20 * grams["low"], "an unknown region is a range"


def test_where_ranks_regions_of_one_basis(result):
    found = lines("where", result, "--json")
    assert len(found) > 200 and {each["basis"] for each in found} == {"life-cycle"}
    assert {each["approach"] for each in found} == {"average"}
    assert "modelled, NOT measured" in found[0]["work"]
    values = [each["location_based"]["value"] for each in found]
    assert values == sorted(values)
    france, us = lines("where", "--kwh", "1287000", "--region", "FR", "--region", "US", "--json")
    assert us["location_based"]["value"] / france["location_based"]["value"] == pytest.approx(
        8.68153, rel=1e-5
    )


def test_where_shows_market_based_and_water_and_draws(result, tmp_path):
    shown = joulebench("where", result, "--among", "aws", "--out", str(tmp_path)).stdout
    assert "market-based" in shown and "location-based" in shown and "NOT measured" in shown
    assert (tmp_path / "where.png").is_file() and (tmp_path / "where.svg").is_file()
    water = joulebench("where", "--kwh", "1000", "--among", "aws", "--water").stdout
    assert "off site (EWIF)" in water and "on site (WUE)" in water


def test_where_says_which_hours_are_best(tmp_path):
    day = tmp_path / "day.csv"
    rows = "".join(f"{hour},{100 + hour}\n" for hour in range(24))
    day.write_text("hour,gco2e_per_kwh\n" + rows)
    words = ("where", "--kwh", "10", "--hours", str(day), "--job-hours", "3")
    best = lines(*words, "--json")[0]
    assert (best["start_hour"], best["end_hour"], best["grams"]) == (0, 3, 1010.0)
    assert best["approach"] == "unstated"
    assert "best  00:00 to 03:00" in joulebench(*words).stdout
    day.write_text("time,carbon\n0,1\n")
    assert "gco2e_per_kwh" in refused(*words)
    day.write_text("hour,gco2e_per_kwh\n-1,5\n")
    assert "'-1'" in refused(*words)


def test_export_writes_and_import_reads_what_it_wrote(result, tmp_path):
    out = tmp_path / "emissions.csv"
    joulebench("export", "codecarbon", result, "--region", "FR", "--out", str(out))
    (found,) = lines("import", "codecarbon", str(out), "--region", "FR", "--json")
    assert found["kind"] == "modelled" and found["grid"] == "France"
    joules = sum(
        r.energy_joules for t in storage.load_result(Path(result)).measured() for r in t.readings
    )
    assert found["energy_kwh"] == pytest.approx(joules / 3.6e6, rel=1e-14)
    assert "modelled" in joulebench("import", "codecarbon", str(out)).stdout
    assert joulebench("export", "codecarbon", result).stdout.startswith("timestamp,")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("where",), "--kwh"),
        (("where", "--kwh", "-1"), "above zero"),
        (("where", "--kwh", "nan"), "above zero"),
        (("where", "--kwh", "1", "--region", "Frnace"), "FR (France)"),
        (("where", "--kwh", "1", "--among", "planets"), "countries"),
        (("where", "--kwh", "1", "--basis", "best"), "life-cycle"),
        (("where", "--kwh", "1", "--hours", "/nowhere.csv"), "can't be read"),
        (("where", "--kwh", "1", "--live", "electricity-maps"), "--region"),
        (("where", "--kwh", "1", "--live", "oracle", "--region", "FR"), "electricity-maps"),
        (("where", "/nowhere.json"), "can't be read"),
        (("show", "{result}", "--equivalences", "--region", "Atlantis"), "Atlantis"),
        (("show", "{result}", "--region", "FR"), "--equivalences"),
        (("export", "codecarbon"), "result file"),
        (("export", "codecabron", "{result}"), "codecarbon"),
        (("export", "codecarbon", "{result}", "--region", "Frnace"), "FR (France)"),
        (("export", "codecarbon", "{result}", "--out", "/proc/no/f.csv"), "can't be written"),
        (("import", "codecarbon", "/nowhere.csv"), "can't be read"),
        (("import", "codecarbon", "{result}"), "not CodeCarbon's columns"),
    ],
)
def test_bad_input_is_one_sentence(result, words, said):
    assert said in refused(*(word.format(result=result) for word in words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("facts", "nope"), "equivalences"),
        (("facts", "--region", "Frnace"), "FR (France)"),
        (("facts", "gpu", "--region", "FR"), "gpu"),
    ],
)
def test_facts_refuses_what_it_does_not_have(words, said):
    assert said in refused(*words)
