"""leaderboard.json, .csv and .md: contents, schema, escaping."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from pathlib import Path

import jsonschema
import pytest
from boards import (
    board_document,
    document_of,
    rank_results,
)
from synthetic_results import result_with_energy, synthetic_result, with_derived_warnings

from bench import leaderboard
from bench.leaderboard import (
    board_files,
)
from bench.results.calibration import energy_with_calibration
from bench.results.escaping import csv_safe
from bench.results.record import Failure

FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def results_with_hostile_text():
    return [
        result_with_energy(0.2, model="=HYPERLINK(1)"),
        result_with_energy(0.1, model="a|b `c` <script>alert(1)</script>\n# head"),
        result_with_energy(0.3, model="[x](http://evil.example)"),
        synthetic_result(model="f", energies=[], failure=FAILURE),
        result_with_energy(0.05, model="m", kind="modelled"),
    ]


def test_files_do_not_depend_on_the_order_of_results(tmp_path):
    results = results_with_hostile_text()
    first = board_files.write_board(rank_results(results), tmp_path / "a")
    random.Random(1).shuffle(results)
    second = board_files.write_board(rank_results(results), tmp_path / "b")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    names = {str(path.relative_to(tmp_path / "a")) for path in first}
    assert names >= {"leaderboard.json", "leaderboard.csv", "leaderboard.md", "site/index.html"}


def test_board_is_valid_under_the_shipped_schema(tmp_path):
    shipped = Path(leaderboard.__file__).parent / "leaderboard.schema.json"
    schema = json.loads(shipped.read_text())
    assert schema == board_files.board_schema(), "make generated"
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    board_files.write_board(rank_results(results_with_hostile_text()), tmp_path)
    content = json.loads((tmp_path / "leaderboard.json").read_text())
    validator.validate(content)
    validator.validate(document_of([]))
    row = content["tasks"][0]["groups"][0]["rows"][0]
    for wrong in ({"sponsor": "me"}, {"rank": "1"}, {"kind": "guessed"}):
        row_before = dict(row)
        row |= wrong
        assert not validator.is_valid(content)
        row.clear()
        row |= row_before


def test_published_figures_are_separate_from_results(tmp_path):
    content = document_of([result_with_energy(0.1)])
    keys = {study["key"] for study in content["published"]}
    assert keys == {"ai-energy-score", "power-hungry", "ml-energy-v2"}, "v3 may not ship"
    assert all(study["boundary"] and study["licence"] for study in content["published"])
    names = {row["model"] for study in content["published"] for row in study["rows"]}
    submitted = {r["model"]["id"] for g in content["tasks"][0]["groups"] for r in g["rows"]}
    assert len(names) > 100 and not names & submitted
    board_files.write_board(rank_results([result_with_energy(0.1)]), tmp_path)
    assert "not ranked with these results" in (tmp_path / "leaderboard.md").read_text()
    assert len((tmp_path / "leaderboard.csv").read_text().splitlines()) == 2


def test_empty_board_is_written(tmp_path):
    board_files.write_board(rank_results([]), tmp_path)
    assert json.loads((tmp_path / "leaderboard.json").read_text())["tasks"] == []
    assert "No submissions yet" in (tmp_path / "leaderboard.md").read_text()


def test_csv_and_markdown_have_the_range_with_calibration_uncertainty(tmp_path):
    result = result_with_energy(0.1, 0.001, kind="modelled")
    board_files.write_board(rank_results([result]), tmp_path)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "leaderboard.csv").read_text()))
    wide = energy_with_calibration(result)
    ends = ("low", "high")
    names = [f"energy_kwh_per_1000_{end}_with_calibration" for end in ends]
    assert [float(row[name]) for name in names] == [wide.low, wide.high]
    assert float(row["calibration_relative_half_width"]) == 0.5
    assert wide.high > 1.4 * float(row["energy_kwh_per_1000"])
    charges = [float(row[f"phone_charges_per_1000_{end}_with_calibration"]) for end in ends]
    value = float(row["phone_charges_per_1000"])
    assert [end / value for end in charges] == pytest.approx(
        [wide.low / wide.value, wide.high / wide.value]
    )
    text = (tmp_path / "leaderboard.md").read_text()
    cell = rf"\| {wide.low * 1000:.0f}\d* to {wide.high * 1000:.0f}\d* Wh \|"
    assert re.search(cell, text), text


def test_csv_text_that_starts_a_formula_is_quoted(tmp_path):
    board_files.write_board(rank_results(results_with_hostile_text()), tmp_path)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "leaderboard.csv").read_text())))
    assert len(rows) == 5
    assert "'=HYPERLINK(1)" in {row["model"] for row in rows}
    for start in "=+-@\t\r\n":
        assert csv_safe(f"{start}1").startswith("'")
    assert csv_safe(-1.5) == -1.5


def test_markdown_escapes_hostile_names(tmp_path):
    board_files.write_board(rank_results(results_with_hostile_text()), tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert "<script>" not in text and "[x](http" not in text and "\n# head" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.count(" | ") in (14, 15) for line in tables)


def test_run_settings_are_in_json_csv_and_markdown(tmp_path):
    board = rank_results(
        [
            result_with_energy(0.1, dtype="bfloat16", batch=8, steps=20),
            result_with_energy(0.2, dtype=None),
        ]
    )
    board_files.write_board(board, tmp_path)
    (group,) = board_document(board)["tasks"][0]["groups"]
    first, second = group["rows"]
    assert (first["model"]["dtype"], first["backend"]) == ("bfloat16", "diffusers")
    assert (first["batch_size"], first["steps"]) == (8, 20)
    assert (second["model"]["dtype"], second["batch_size"], second["steps"]) == (None, 1, None)
    table = list(csv.DictReader(io.StringIO((tmp_path / "leaderboard.csv").read_text())))
    names = ("dtype", "backend", "batch_size", "steps")
    assert [[row[n] for n in names] for row in table] == [
        ["bfloat16", "diffusers", "8", "20"],
        ["", "diffusers", "1", ""],
    ]
    text = (tmp_path / "leaderboard.md").read_text()
    assert "| bfloat16 · diffusers · batch 8 · 20 steps |" in text
    assert "| diffusers · batch 1 |" in text


@pytest.mark.parametrize("value", [True, "eight", 8.5, [8], None])
def test_batch_size_that_is_no_integer_is_null(value):
    result = result_with_energy(0.1)
    model = result.model.model_copy(update={"settings": {"batch_size": value}})
    results = [result.model_copy(update={"model": model})]
    (row,) = document_of(results)["tasks"][0]["groups"][0]["rows"]
    assert row["batch_size"] is None


def test_document_states_its_sources(tmp_path):
    content = document_of([result_with_energy(0.019, model="a")])
    (row,) = content["tasks"][0]["groups"][0]["rows"]
    assert row["phone_charges_per_1000"]["value"] == pytest.approx(1.0)
    assert row["grams_co2e_per_1000"]["FR"]["value"] == pytest.approx(0.019 * 44.18)
    assert "EPA" in content["phone_charge"]["edition"]
    assert content["grids"]["US-WV"]["basis"] == "direct combustion"
    assert row["stars"] == 5 and row["kind"] == "measured"


def test_equivalents_have_intervals_with_and_without_calibration(tmp_path):
    results = [result_with_energy(0.019, 0.001, model="a")]
    (row,) = document_of(results)["tasks"][0]["groups"][0]["rows"]
    energy, calibrated = row["energy_kwh_per_1000"], row["energy_with_calibration_kwh_per_1000"]
    for figure, factor in (
        (row["phone_charges_per_1000"], 1 / 0.019),
        (row["grams_co2e_per_1000"]["world"], 472.94),
    ):
        assert figure["low"] == pytest.approx(energy["low"] * factor)
        assert figure["low_with_calibration"] == pytest.approx(calibrated["low"] * factor)
        assert figure["high_with_calibration"] == pytest.approx(calibrated["high"] * factor)
        assert (
            figure["low_with_calibration"]
            < figure["low"]
            < figure["high"]
            < figure["high_with_calibration"]
        )
    board_files.write_board(rank_results(results), tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert "| 1.00 (0.95 to 1.05) | 9.0 (8.5 to 9.5) |" in text


def test_every_markdown_figure_has_an_interval(tmp_path):
    board_files.write_board(rank_results([result_with_energy(0.019, 0.001, model="a")]), tmp_path)
    (line,) = [x for x in (tmp_path / "leaderboard.md").read_text().splitlines() if "| a |" in x]
    cells = line.split(" | ")
    assert all(" to " in cell for cell in cells[6:]), cells


def test_synthetic_result_is_consistent():
    result = result_with_energy(0.1)
    assert with_derived_warnings(result) == result
    assert result.summary.energy_kwh_per_1000.value == pytest.approx(0.1)


# Nine trials of 100 images in 10 s (TRIAL_JOULES of synthetic_results.py); idle 30 W; calibration
# 5 %. Energy: 27,000 J / 900 = 30 J per image = 30 * 1000 / 3.6e6 = 1/120 kWh per 1,000.
# Interval: the half-width of the mean is 14.691066 J, computed with the matrices that
# test_correlated_mean.py writes out; as a share h = 0.00489702204 of 3000 J, and the ends are the
# value times exp(-h) and exp(h).
# Net: 3000 J - 10 s * 30 W = 2700 J per trial, plus and minus the same half-width in joules.
# With calibration: h and ln 1.05 add up, since that is less than h and 1.13 ln 1.05 in quadrature:
# 1.05 * exp(h) = 1.05515448 times the value, below 0.95 * exp(-h) = 0.94535920 times.
# One phone charge is 0.019 kWh; grids: world 472.94, France 44.18 gCO2e/kWh.
JOULES, HALF_WIDTH = 3000.0, 14.691066
UP, CALIBRATED_UP, CALIBRATED_DOWN = 1.00490903, 1.05515448, 0.94535920
KWH_PER_1000 = 1000 / 3.6e6 / 100


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [
        ("energy_kwh_per_1000", 1 / 120, 1 / 120 / UP, UP / 120),
        (
            "net_energy_kwh_per_1000",
            2700 * KWH_PER_1000,
            (2700 - HALF_WIDTH) * KWH_PER_1000,
            (2700 + HALF_WIDTH) * KWH_PER_1000,
        ),
        ("energy_joules_per_unit", 30.0, 30.0 / UP, 30.0 * UP),
        ("duration_seconds_per_inference", 0.1, 0.1, 0.1),
        ("phone_charges_per_1000", 0.4385965, 0.4385965 / UP, 0.4385965 * UP),
    ],
)
def test_row_has_the_figures_computed_by_hand(name, value, low, high):
    (row,) = document_of([synthetic_result()])["tasks"][0]["groups"][0]["rows"]
    figure = row[name]
    assert figure["value"] == pytest.approx(value, rel=1e-6)
    assert (figure["low"], figure["high"]) == pytest.approx((low, high), rel=1e-6)


def test_row_has_the_calibrated_figures_computed_by_hand():
    (row,) = document_of([synthetic_result()])["tasks"][0]["groups"][0]["rows"]
    ends = row["energy_with_calibration_kwh_per_1000"]
    low, high = CALIBRATED_DOWN / 120, CALIBRATED_UP / 120
    assert (ends["low"], ends["high"]) == pytest.approx((low, high), rel=1e-6)
    for region, grams in (("world", 472.94), ("FR", 44.18)):
        figure = row["grams_co2e_per_1000"][region]
        assert figure["value"] == pytest.approx(grams / 120, rel=1e-6)
        assert figure["low_with_calibration"] == pytest.approx(low * grams, rel=1e-6)
        assert figure["high_with_calibration"] == pytest.approx(high * grams, rel=1e-6)


# Energies of 1, 1.5, 3 and 9 kWh per 1,000 with intervals of a few per mille: ranks 1 to 4.
# Grades by doublings of the least: A below 2, B below 4, C below 8, D below 16. Stars: bands of
# (9 - 1) / 5 = 1.6 kWh from 1: 1 and 1.5 in the first, 3 in the second (2.6 to 4.2), 9 in the last.
def test_ranks_grades_and_stars_computed_by_hand():
    energies = {"a": 1.0, "b": 1.5, "c": 3.0, "d": 9.0}
    results = [result_with_energy(kwh, 0.001, model=name) for name, kwh in energies.items()]
    rows = document_of(results)["tasks"][0]["groups"][0]["rows"]
    columns = [(r["model"]["id"], r["rank"], r["last_rank"], r["grade"], r["stars"]) for r in rows]
    assert columns == [
        ("a", 1, 1, "A", 5),
        ("b", 2, 2, "A", 5),
        ("c", 3, 3, "B", 4),
        ("d", 4, 4, "D", 1),
    ]
