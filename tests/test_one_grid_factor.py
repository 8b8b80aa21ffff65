"""All commands and the site apply one grid factor to a region, with the same basis and grams."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from site_results import write_site_of
from synthetic_results import synthetic_result

from bench.cli import estimate, lifecycle, scale, show, where
from bench.impact import regions
from bench.reports import exporters
from bench.reports.exporters import ExportOptions
from bench.results import storage
from bench.results.calibration import energy_with_calibration
from bench.tracker import program_record

LIFE_CYCLE, DIRECT = "life-cycle", "direct combustion"
GOOGLE = "operational, as Google publishes it"
# The factor of each region in gCO2e/kWh, and its basis.
REGIONS = {
    "world": (472.94, LIFE_CYCLE),
    "FR": (44.18, LIFE_CYCLE),
    "UK": (215.79, LIFE_CYCLE),
    "USA": (383.55, LIFE_CYCLE),
    "Germany": (342.06, LIFE_CYCLE),
    "Korea": (415.65, LIFE_CYCLE),
    "US-WV": (893.06, DIRECT),
    "US-CA": (179.06, DIRECT),
    "US-GA": (325.43, DIRECT),
    "US-OH": (484.56, DIRECT),
    "CA-QC": (1.5, DIRECT),
    "CA-AB": (670.0, DIRECT),
    "AU-NSW": (870.0, "as published for Australia, basis not stated"),
    "CN-SH": (573.7, "direct combustion, CO2 only"),
    "aws:us-east-1": (244.76, DIRECT),
    "aws:ca-central-1": (1.5, DIRECT),
    "aws:eu-west-3": (44.18, LIFE_CYCLE),
    "azure:westus2": (120.92, DIRECT),
    "azure:germanywestcentral": (342.06, LIFE_CYCLE),
    "gcp:us-central1": (412.72, GOOGLE),
    "gcp:europe-west9": (16.3, GOOGLE),
}


@pytest.fixture(scope="module")
def result():
    return synthetic_result(calibration=0.05)


@pytest.fixture(scope="module")
def path(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.json"
    storage.save_result(result, path)
    return path


@pytest.fixture(scope="module")
def site_grids(result, tmp_path_factory):
    """Number, basis and key of the grids that every page of the site loads."""
    text = (write_site_of(tmp_path_factory.mktemp("site"), result) / "data/board.js").read_text()
    shared = json.loads(text.removeprefix("jb.board(").removesuffix(");\n"))
    return {key: (value, basis) for key, _, value, _, basis, _ in shared["grids"]}


@pytest.fixture
def printed(capsys):
    """Runs a command with --json and returns the objects that it prints."""

    def run(command, *arguments, **options):
        command(*arguments, as_json=True, **options)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.mark.parametrize("name", REGIONS)
def test_factor_basis_and_grams_of_a_region_are_the_same_everywhere(
    name, result, path, printed, site_grids
):
    value, basis = expected = REGIONS[name]
    energy = energy_with_calibration(result)
    grams = pytest.approx([value * end for end in (energy.value, energy.low, energy.high)])

    def ends(figure):
        return [figure[end] for end in ("value", "low", "high")]

    (line,) = printed(where.command, path, region=[name])
    assert (line["grams_per_kwh"], line["basis"]) == expected
    assert (line["rank"], line["borrowed_from"]) == (1, None)
    assert ends(line["location_based"]) == grams

    shown = printed(show.command, path, equivalences=True, region=name)
    (mass,) = (each for each in shown if each["unit"].startswith("gCO2"))
    assert mass["basis"] == basis and ends(mass) == grams

    (estimated,) = printed(estimate.command, "T4", 1.0, region=name)
    grid = estimated["grid"]
    assert (grid["gco2e_per_kwh"]["value"], grid["basis"]) == expected

    (stages,) = printed(lifecycle.command, str(path), region=name)
    assert (stages["grid"]["gco2e_per_kwh"]["value"], stages["grid"]["basis"]) == expected
    electricity = [stage for stage in stages["stages"] if stage["energy_kwh"]]
    assert {stage["basis"] for stage in electricity} == {basis}
    assert sum(stage["gco2e"]["value"] for stage in electricity) == pytest.approx(
        value * energy.value
    )

    (scaled,) = printed(scale.command, path, per_day=1000.0, region=name)
    assert (scaled["grid"]["gco2e_per_kwh"]["value"], scaled["grid"]["basis"]) == expected
    assert ends(scaled["grams_per_day"]) == grams

    region = regions.find(name)
    options = ExportOptions(region)
    sci = json.loads(exporters.export("sci", [result], options))
    assert (sci["intensity"]["gco2e_per_kwh"], sci["intensity"]["basis"]) == expected
    boamps = json.loads(exporters.export("boamps", [result], options))
    assert boamps["environment"]["powerSourceCarbonIntensity"] == value
    text = exporters.export("codecarbon", [result], options).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert float(row["emissions"]) * 1000 / float(row["energy_consumed"]) == pytest.approx(value)

    assert site_grids[region.key] == expected


def test_embodied_emissions_are_added_to_life_cycle_factors_only(result, path, printed):
    (france,) = printed(lifecycle.command, str(path), region="FR")
    (virginia,) = printed(lifecycle.command, str(path), region="US-WV")
    by_name = {stage["stage"]: stage for stage in virginia["stages"]}
    assert by_name["embodied"]["gco2e"] and by_name["embodied"]["basis"] == LIFE_CYCLE
    assert (france["not_added"], virginia["not_added"]) == ([], ["embodied"])
    sum_of_electricity = by_name["dynamic"]["gco2e"]["value"] + by_name["idle"]["gco2e"]["value"]
    assert virginia["gco2e"]["value"] == pytest.approx(sum_of_electricity)
    assert france["sci"]["inference"]["complete"] and not virginia["sci"]["inference"]["complete"]
    assert "direct combustion" in virginia["sci"]["inference"]["missing"]
    (estimated,) = printed(estimate.command, "T4", 1.0, region="US-WV")
    assert estimated["gco2e"] is None and estimated["operational_gco2e"]["value"] > 0


@pytest.mark.parametrize(
    ("region", "bases"),
    [
        ("US-WV", [DIRECT]),
        ("FR", [LIFE_CYCLE]),
        ("US", [LIFE_CYCLE, DIRECT]),
        ("gcp:europe-west9", [GOOGLE, LIFE_CYCLE, "market-based"]),
    ],
)
def test_tracked_program_has_the_nearest_factor_first_and_none_of_a_larger_place(region, bases):
    program = program_record.load(Path(__file__).with_name("golden") / "program-v1.json")
    program = program.model_copy(update={"region": region, "pue": None})
    emissions = program_record.emissions(program)
    assert [mass.fact.basis for mass in emissions] == bases
    factor = regions.find(region).factor()
    assert emissions[0].value == pytest.approx(factor.value * program.energy_kwh.value)
