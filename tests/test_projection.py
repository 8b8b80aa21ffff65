"""Projections to scale, and training against use: arithmetic, intervals, bad input."""

from __future__ import annotations

import json
import math

import pytest
from command_line import error_of, joulebench
from synthetic_results import result_with_energy

from bench.impact import projection
from bench.impact.carbon import carbon_intensity
from bench.impact.facts import published
from bench.impact.lifecycle import break_even, training_per_use
from bench.results import storage
from bench.results.formatting import interval_text
from bench.results.interval import Interval, interval_json

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.json"
    storage.save_result(result_with_energy(1.0, 0.02, model=SDXL), path)
    return path


def test_interval_arithmetic_combines_equal_ends():
    a, b = Interval(2, 1, 3), Interval(10, 5, 20)
    assert a + b == Interval(12, 6, 23) == Interval.sum([a, b])
    assert a * b == Interval(20, 5, 60) and b / a == Interval(5, 5 / 3, 20)
    assert (b / Interval(1, 0, 2)).high == math.inf
    with pytest.raises(ValueError, match="zero"):
        a / 0.0
    with pytest.raises(ValueError, match="0 <="):
        Interval(1, 2, 3)


def test_infinite_end_is_null_in_json_and_or_more_in_text():
    open_end = Interval(5, 4, math.inf)
    assert interval_json(open_end) == {"value": 5, "low": 4, "high": None}
    assert interval_text(open_end) == "5.00 (4.00 or more)" and interval_json(None) is None


def test_break_even_has_the_interval_of_the_measured_energy():
    even = break_even(Interval.of(1000.0), Interval(2.0, 1.0, 4.0))
    assert even == Interval(500, 250, 1000)
    assert training_per_use(Interval.of(1000.0), 250) == Interval.of(4.0)
    with pytest.raises(ValueError, match="no energy"):
        break_even(Interval.of(1000.0), Interval.of(0.0))
    with pytest.raises(ValueError, match="positive"):
        training_per_use(Interval.of(1000.0), 0)


def test_service_of_a_billion_uses_a_day():
    projected = projection.service_projection(
        Interval.of(0.002907), 1e9, carbon_intensity("FR"), Interval.of(3.6)
    )
    assert projected.kwh_per_day.value == pytest.approx(2.907e6)
    assert projected.grams_per_day.value == pytest.approx(2.907e6 * 44.18)
    assert projected.homes.value == pytest.approx(2.907e6 / 29.36)
    assert projected.reactors.value == pytest.approx(2.907 / 24)
    assert projected.machines.value == pytest.approx(3.6e9 / 86400)
    assert (
        projection.service_projection(Interval.of(1.0), 1, carbon_intensity("FR")).machines is None
    )


def test_projection_of_a_result(path):
    result = storage.load_result(path)
    projected = projection.project(
        result, projection.ProjectionInputs(1e6, 100, "FR", 1.5, "bloom-176b")
    )
    assert projected.service.kwh_per_day.value == pytest.approx(1e6 * 1.5 / 1000)
    # 5 % calibration uncertainty, 1.13 times that in quadrature with 1.7 % between trials.
    assert projected.cost.energy_kwh.high / projected.cost.energy_kwh.value == pytest.approx(
        1.066, abs=0.005
    )
    seconds = result.summary.duration_seconds_per_inference.value
    assert projected.service.machines.value == pytest.approx(1e6 * seconds / 86400)
    against = projected.training
    assert against.break_even.value == pytest.approx(433196 / 0.0015)
    assert against.break_even.low < against.break_even.value < against.break_even.high
    assert against.days.value == pytest.approx(against.break_even.value / 1e6)
    assert against.training_kwh.value == pytest.approx(433196 / 1e8)
    assert against.training_share == pytest.approx(0.00433196 / (0.00433196 + 0.0015))


def test_published_figures_of_the_model_are_listed_with_their_study(path):
    projected = projection.project(
        storage.load_result(path), projection.ProjectionInputs(1e6, region="FR")
    ).batching
    published_rows = [row for row in projected if row.label.startswith("this model")]
    titles = {study.title for study in published.STUDIES}
    assert {title for title in titles for row in published_rows if title in row.label} == titles
    h100 = [row for row in published_rows if "ML.ENERGY" in row.label and "H100" in row.label]
    assert ["batch 1 " in row.label for row in h100] == [True, False]
    assert h100[0].kwh_per_day.value == pytest.approx(969.36 / 3.6e6 * 1e6, rel=1e-4)
    gains = [row for row in projected if row.label.startswith("if batching saved")]
    assert (
        projected[0].label == "this measurement, at batch 1"
        and projected[0].kwh_per_day.value == 1000
    )
    assert gains and all(row.kwh_per_day.low < row.kwh_per_day.high for row in gains)
    assert all(row.kwh_per_day.high <= 1e6 * 1.2 / 1000 for row in gains)


def test_batching_gain_is_not_applied_to_a_batched_result():
    projected = projection.project(
        result_with_energy(1.0, model="embedded/small", batch=8), projection.ProjectionInputs(1e6)
    ).batching
    assert [row.label for row in projected] == ["this measurement, at batch 8"]


def test_unpublished_model_gets_no_published_figure(path):
    result = result_with_energy(1.0, model="embedded/small")
    projected = projection.project(result, projection.ProjectionInputs(1e6)).batching
    assert not [row for row in projected if "this model" in row.label]


def test_scale_prints_the_projection_and_saves_a_plot(path, tmp_path):
    arguments = (
        "scale",
        str(path),
        "--per-day",
        "1e9",
        "--region",
        "FR",
        "--training",
        "bloom-176b",
    )
    output = " ".join(joulebench(*arguments, "--plot", str(tmp_path)).stdout.split())
    for text in (
        "measured, extrapolated", "GWh", "France (44.18 g/kWh)", "homes", "reactors", "machines",
        "break-even", "share of a use", "No PUE", "it is not checked",
    ):  # fmt: skip
        assert text in output
    assert (tmp_path / "training-against-use.png").stat().st_size > 10_000
    projected = json.loads(joulebench(*arguments, "--json").stdout)
    assert projected["kind"] == "measured" and projected["caveats"]
    assert projected["kwh_per_day"]["low"] < projected["kwh_per_day"]["value"]
    assert projected["training"]["break_even"]["value"] == pytest.approx(433196 / 0.001)
    published_rows = json.loads(
        joulebench("scale", str(path), "--training", "1000", "--json").stdout
    )
    assert published_rows["training"]["energy_kwh"]["value"] == 1000
    assert (
        published_rows["grid"]["gco2e_per_kwh"]["low"]
        < published_rows["grid"]["gco2e_per_kwh"]["high"]
    )


def test_modelled_energy_is_labelled_modelled_at_scale(tmp_path):
    path = tmp_path / "run.json"
    storage.save_result(result_with_energy(1.0, kind="modelled"), path)
    assert "modelled, NOT measured" in joulebench("scale", str(path)).stdout
    assert json.loads(joulebench("scale", str(path), "--json").stdout)["kind"] == "modelled"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--per-day", "-1"), "above zero"),
        (("--days", "0"), "days must be above zero"),
        (("--region", "Atlantis"), "region"),
        (("--pue", "0.5"), "PUE"),
        (("--training", "gpt-3"), "gpt-3-175b"),
        (("--training", "-5"), "above zero"),
    ],
)
def test_bad_input_of_scale_is_refused(path, arguments, message):
    assert message in error_of("scale", str(path), *arguments)


def test_result_without_energy_is_refused(tmp_path):
    from synthetic_results import synthetic_result

    from bench.results.record import Failure

    failure = Failure(stage="load", code="out-of-memory", message="No memory.")
    path = tmp_path / "run.json"
    storage.save_result(synthetic_result(energies=[], failure=failure), path)
    assert "no energy" in error_of("scale", str(path))
