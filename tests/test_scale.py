"""A result at scale, and training against use: the arithmetic, the intervals, and bad input."""

from __future__ import annotations

import json
import math

import pytest
from synthetic_results import result_with_energy
from test_footprint_commands import joulebench, refused

from bench.impact import projection
from bench.impact.carbon import carbon_intensity
from bench.impact.facts import published
from bench.impact.lifecycle import amortised, break_even
from bench.results import storage
from bench.results.formatting import interval_text
from bench.results.interval import Interval, interval_json

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.json"
    storage.save_result(result_with_energy(1.0, 0.02, model=SDXL), path)
    return path


def test_a_span_takes_everything_at_its_low_and_at_its_high():
    a, b = Interval(2, 1, 3), Interval(10, 5, 20)
    assert a + b == Interval(12, 6, 23) == Interval.sum([a, b])
    assert a * b == Interval(20, 5, 60) and b / a == Interval(5, 5 / 3, 20)
    assert (b / Interval(1, 0, 2)).high == math.inf
    with pytest.raises(ValueError, match="zero"):
        a / 0.0
    with pytest.raises(ValueError, match="0 <="):
        Interval(1, 2, 3)


def test_an_end_that_nothing_bounds_is_null_in_json_and_said_in_words():
    open_end = Interval(5, 4, math.inf)
    assert interval_json(open_end) == {"value": 5, "low": 4, "high": None}
    assert interval_text(open_end) == "5.00 (4.00 or more)" and interval_json(None) is None


def test_break_even_carries_the_interval_of_the_measured_side():
    even = break_even(Interval.of(1000.0), Interval(2.0, 1.0, 4.0))
    assert even == Interval(500, 250, 1000)
    share = amortised(Interval.of(1000.0), Interval.of(2.0), 250)
    assert share.training_kwh.value == 4 and share.training_share == pytest.approx(4 / 6)
    assert share.whole_kwh.value == 6
    assert amortised(Interval.of(1000.0), Interval.of(2.0), 500).training_share == pytest.approx(
        0.5
    )
    with pytest.raises(ValueError, match="no energy"):
        break_even(Interval.of(1000.0), Interval.of(0.0))
    with pytest.raises(ValueError, match="positive"):
        amortised(Interval.of(1000.0), Interval.of(2.0), 0)


def test_a_billion_a_day():
    found = projection.service_projection(
        Interval.of(0.002907), 1e9, carbon_intensity("FR"), Interval.of(3.6)
    )
    assert found.kwh_per_day.value == pytest.approx(2.907e6)
    assert found.grams_per_day.value == pytest.approx(2.907e6 * 44.18)
    assert found.homes.value == pytest.approx(2.907e6 / 29.36)
    assert found.reactors.value == pytest.approx(2.907 / 24)
    assert found.machines.value == pytest.approx(3.6e9 / 86400)
    assert (
        projection.service_projection(Interval.of(1.0), 1, carbon_intensity("FR")).machines is None
    )


def test_a_result_at_scale(path):
    result = storage.load_result(path)
    found = projection.project(
        result, projection.ProjectionInputs(1e6, 100, "FR", 1.5, "bloom-176b")
    )
    assert found.scaled.kwh_per_day.value == pytest.approx(1e6 * 1.5 / 1000)
    # 5 % of scale error against 2 % of spread: the scale is what makes it wide.
    assert found.one.energy_kwh.high / found.one.energy_kwh.value == pytest.approx(1.055, abs=0.01)
    seconds = result.summary.duration_seconds_per_inference.value
    assert found.scaled.machines.value == pytest.approx(1e6 * seconds / 86400)
    against = found.training
    assert against.break_even.value == pytest.approx(433196 / 0.0015)
    assert against.break_even.low < against.break_even.value < against.break_even.high
    assert against.days.value == pytest.approx(against.break_even.value / 1e6)
    assert against.amortised.training_kwh.value == pytest.approx(433196 / 1e8)


def test_what_others_published_stands_beside_ours_and_says_whose_it_is(path):
    found = projection.project(
        storage.load_result(path), projection.ProjectionInputs(1e6, region="FR")
    ).batching
    own = [row for row in found if row.words.startswith("this model")]
    titles = {study.title for study in published.STUDIES}
    assert {title for title in titles for row in own if title in row.words} == titles
    h100 = [row for row in own if "ML.ENERGY" in row.words and "H100" in row.words]
    assert ["batch 1 " in row.words for row in h100] == [True, False]
    assert h100[0].kwh_per_day.value == pytest.approx(969.36 / 3.6e6 * 1e6, rel=1e-4)
    gained = [row for row in found if row.words.startswith("if batches gained")]
    assert found[0].words == "ours, at batch 1" and found[0].kwh_per_day.value == 1000
    assert gained and all(row.kwh_per_day.low < row.kwh_per_day.high for row in gained)
    assert all(row.kwh_per_day.high <= 1e6 * 1.2 / 1000 for row in gained)


def test_what_batches_gained_is_not_counted_twice():
    found = projection.project(
        result_with_energy(1.0, model="embedded/small", batch=8), projection.ProjectionInputs(1e6)
    ).batching
    assert [row.words for row in found] == ["ours, at batch 8"]


def test_a_model_that_nobody_published_gets_no_figure_of_another(path):
    result = result_with_energy(1.0, model="embedded/small")
    found = projection.project(result, projection.ProjectionInputs(1e6)).batching
    assert not [row for row in found if "this model" in row.words]


def test_the_command(path, tmp_path):
    words = ("scale", str(path), "--per-day", "1e9", "--region", "FR", "--training", "bloom-176b")
    shown = " ".join(joulebench(*words, "--plot", str(tmp_path)).stdout.split())
    for text in (
        "measured, extrapolated", "GWh", "France (44.18 g/kWh)", "homes", "reactors", "machines",
        "break-even", "share of a use", "No PUE", "nothing here checks it",
    ):  # fmt: skip
        assert text in shown
    assert (tmp_path / "training-against-use.png").stat().st_size > 10_000
    found = json.loads(joulebench(*words, "--json").stdout)
    assert found["kind"] == "measured" and found["caveats"]
    assert found["kwh_per_day"]["low"] < found["kwh_per_day"]["value"]
    assert found["training"]["break_even"]["value"] == pytest.approx(433196 / 0.001)
    own = json.loads(joulebench("scale", str(path), "--training", "1000", "--json").stdout)
    assert own["training"]["energy_kwh"]["value"] == 1000
    assert own["grid"]["gco2e_per_kwh"]["low"] < own["grid"]["gco2e_per_kwh"]["high"]


def test_modelled_energy_stays_modelled_at_any_scale(tmp_path):
    path = tmp_path / "run.json"
    storage.save_result(result_with_energy(1.0, kind="modelled"), path)
    assert "modelled, NOT measured" in joulebench("scale", str(path)).stdout
    assert json.loads(joulebench("scale", str(path), "--json").stdout)["kind"] == "modelled"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--per-day", "-1"), "above zero"),
        (("--days", "0"), "days must be above zero"),
        (("--region", "Atlantis"), "region"),
        (("--pue", "0.5"), "PUE"),
        (("--training", "gpt-3"), "gpt-3-175b"),
        (("--training", "-5"), "above zero"),
    ],
)
def test_scale_refuses_bad_input(path, words, said):
    assert said in refused("scale", str(path), *words)


def test_a_result_without_energy_is_refused(tmp_path):
    from synthetic_results import synthetic_result

    from bench.results.record import Failure

    failure = Failure(stage="load", code="out-of-memory", message="No memory.")
    path = tmp_path / "run.json"
    storage.save_result(synthetic_result(energies=[], failure=failure), path)
    assert "no energy" in refused("scale", str(path))
