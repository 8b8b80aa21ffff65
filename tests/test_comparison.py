"""Comparison of results: ratios with intervals, ties, differences, and figures left out."""

import json
import subprocess
import sys

import pytest
from rich.console import Console
from synthetic_results import result_with_energy, synthetic_result

from bench.analysis import comparison
from bench.analysis.published_results import find_published_results
from bench.reports import comparison_table
from bench.results import storage
from bench.results.record import Failure

FAILED = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def joulebench(*words):
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def test_energy_is_a_ratio_to_the_base_and_the_calibration_of_one_card_cancels():
    base, other = result_with_energy(0.1, 0.001), result_with_energy(0.2, 0.001, model="b")
    compared = comparison.compare_results(base, other)
    assert compared.energy.value == pytest.approx(2.0) and compared.energy_verdict == "more"
    # Variation between runs alone: 2.08 % on each side, 2.94 % of the ratio.
    assert compared.energy.high / compared.energy.value == pytest.approx(1.030, abs=2e-3)
    across = comparison.compare_results(
        base, result_with_energy(0.2, 0.001, uuid="GPU-9", model="b")
    )
    # Two meters of ±5 % (rectangular), each in the ratio once.
    assert (across.energy.high / across.energy.low) == pytest.approx(1.17, abs=0.02)


def test_the_interval_across_devices_includes_the_calibration_of_both_meters():
    base = result_with_energy(0.1, 0.001)
    other = result_with_energy(0.105, 0.001, device="NVIDIA A100", uuid="GPU-A", model="b")
    compared = comparison.compare_results(base, other)
    assert compared.energy_verdict == "tie" and not comparison.is_comparable(compared)
    assert {"devices", "model"} <= {difference.name for difference in compared.differences}


def test_modelled_energy_is_not_compared_with_measured_energy():
    compared = comparison.compare_results(
        result_with_energy(0.1), result_with_energy(0.1, kind="modelled")
    )
    assert compared.energy is None and compared.energy_verdict is None
    assert "modelled energy is not compared with measured energy" in compared.why_not


def test_the_calibration_of_a_model_cancels_on_one_machine():
    pair = [result_with_energy(k, 0.001, kind="modelled", model=f"{k}") for k in (0.1, 0.15)]
    assert comparison.compare_results(*pair).energy_verdict == "tie"
    assert comparison.compare_results(*pair, one_machine=True).energy_verdict == "more"


def of_machine(result, machine_id="0123456789abcdef"):
    machine = result.machine.model_copy(update={"machine_id": machine_id})
    return result.model_copy(update={"machine": machine})


def test_results_of_one_machine_are_recognised_without_a_flag():
    pair = [result_with_energy(k, 0.001, kind="modelled", model=f"{k}") for k in (0.1, 0.15)]
    same = comparison.compare_results(*map(of_machine, pair))
    assert same.same_sensors and same.energy_verdict == "more"
    assert same.energy == comparison.compare_results(*pair, one_machine=True).energy
    other = comparison.compare_results(of_machine(pair[0]), of_machine(pair[1], "f" * 16))
    assert not other.same_sensors and other.energy_verdict == "tie"
    assert not comparison.compare_results(*pair).same_sensors, "older records have no machine id"


def test_two_cards_of_one_machine_are_two_sensors():
    pair = [result_with_energy(0.1, 0.001, uuid=uuid, model=uuid) for uuid in ("GPU-1", "GPU-2")]
    assert not comparison.compare_results(*map(of_machine, pair)).same_sensors
    first, second = (result_with_energy(0.1, 0.001, model=name) for name in "ab")
    assert comparison.compare_results(of_machine(first), of_machine(second)).same_sensors
    unknown = [result_with_energy(0.1, 0.001, uuid=None, model=name) for name in "ab"]
    assert not comparison.compare_results(*map(of_machine, unknown)).same_sensors


def printed(compared):
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    comparison_table.print_comparison([compared], console)
    return console.export_text()


def test_each_energy_has_its_range_with_calibration_uncertainty():
    pair = [result_with_energy(k, 0.001, kind="modelled", model=f"{k}") for k in (0.1, 0.15)]
    compared = comparison.compare_results(*pair)
    content = comparison_table.comparison_json(compared)
    for side in ("base", "other"):
        energy = content[side]["energy_with_calibration_kwh_per_1000"]
        assert energy["low"] < 0.7 * energy["value"] and energy["high"] > 1.4 * energy["value"]
    assert "range with calibration uncertainty" in printed(compared)
    assert "99.9" not in printed(compared)


def test_a_tie_is_said_with_its_interval():
    pair = [result_with_energy(k, 0.001, kind="modelled", model=f"{k}") for k in (0.1, 0.15)]
    compared = comparison.compare_results(*pair)
    low, high = f"{compared.energy.low:.1f}", f"{compared.energy.high:.1f}"
    text = printed(compared)
    assert f"energy cannot be told apart ({low}" in text and f"to {high}" in text
    assert "no significant" not in text and "no real" not in text
    assert "quality cannot be told apart (−0.0" in text


def test_too_few_requests_to_judge_quality_are_said():
    def few(result, count):
        quality = result.quality.model_copy(update={"sample_count": count})
        return result.model_copy(update={"quality": quality})

    pair = [result_with_energy(0.1, model=name) for name in "ab"]
    for count, too_few in ((20, True), (99, True), (100, False)):
        compared = comparison.compare_results(pair[0], few(pair[1], count))
        assert compared.quality_verdict == "tie" and compared.too_few_requests == too_few
        assert (f"too few requests ({count}) to judge quality" in printed(compared)) == too_few
        assert comparison_table.comparison_json(compared)["too_few_requests"] == too_few
    worse = result_with_energy(0.1, model="c", quality=(0.2, 0.1, 0.3))
    compared = comparison.compare_results(pair[0], few(worse, 20))
    assert compared.quality_verdict == "worse" and not compared.too_few_requests


def test_quality_has_a_verdict_or_a_tie():
    def pair(first, second):
        results = [
            result_with_energy(0.1, model=str(q), quality=(q, q - 0.02, q + 0.02))
            for q in (first, second)
        ]
        return comparison.compare_results(*results)

    assert pair(0.8, 0.9).quality_verdict == "better"
    assert pair(0.9, 0.8).quality_verdict == "worse"
    tie = pair(0.9, 0.91)
    assert tie.quality_verdict == "tie"
    # Newcombe's interval, by hand: 0.01 -+ sqrt(0.02^2 + 0.02^2)
    assert tie.quality.low == pytest.approx(0.01 - 0.02 * 2**0.5)
    assert tie.quality.high == pytest.approx(0.01 + 0.02 * 2**0.5)


def test_a_missing_figure_has_a_reason_and_no_number():
    failed = synthetic_result(energies=[], failure=FAILED, quality=None)
    compared = comparison.compare_results(result_with_energy(0.1), failed)
    assert compared.energy is None and compared.quality is None and compared.duration is None
    assert len(compared.why_not) == 2
    assert comparison_table.comparison_json(compared)["energy_ratio"] is None
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    comparison_table.print_comparison([compared], console)
    assert "cannot be compared" in console.export_text()


def test_differences_are_listed_with_both_values():
    other = result_with_energy(0.1, model="b", dtype="float16", batch=8, dataset="standard")
    compared = comparison.compare_results(result_with_energy(0.1), other)
    lines = {d.name: (d.base, d.other) for d in compared.differences}
    assert lines["precision"] == ("float32", "float16") and lines["batch"] == ("1", "8")
    assert lines["data set"] == ("embedded", "standard") and not comparison.is_comparable(compared)
    assert compared.quality is None


def test_compare_reads_files(tmp_path):
    paths = [tmp_path / f"{name}.json" for name in "ab"]
    for path, kwh in zip(paths, (0.1, 0.3), strict=True):
        storage.save_result(result_with_energy(kwh, 0.001, model=path.stem), path)
    done = joulebench("compare", *paths, "--json")
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["energy_ratio"]["value"] == pytest.approx(3.0)
    assert "more energy, 3.0" in joulebench("compare", *paths).stdout


@pytest.mark.slow
def test_compare_runs_a_task_with_two_models(tmp_path):
    words = ["--model", "embedded/small", "--model", "embedded/tiny", "--quick", "--json"]
    done = joulebench("compare", "text-classification", *words, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    compared = json.loads(done.stdout)
    assert compared["equals"] and compared["energy_ratio"]["value"] > 0
    assert len(list(tmp_path.rglob("*.json"))) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["text-gen"], "--model twice"),
        (["none.json", "other.json"], "cannot be read"),
        (["text-gn", "--model", "a", "--model", "b"], "did you mean text-gen"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(words, message):
    done = joulebench("compare", *words)
    assert done.returncode == 2 and message in done.stderr


def test_two_tasks_are_not_compared(tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    storage.save_result(result_with_energy(0.1), paths[0])
    storage.save_result(result_with_energy(0.1, task="text-gen"), paths[1])
    done = joulebench("compare", *paths)
    assert done.returncode == 2 and "two tasks" in done.stderr


def test_published_figures_of_the_same_model_come_first():
    result = result_with_energy(0.00215, 0.001, task="text-gen", model="gpt2", dtype="float16")
    first, *others = find_published_results(result)
    assert first.row.model == "openai-community/gpt2" and first.same == "model"
    assert first.ratio.value == pytest.approx(0.00215 / 0.002146239)
    assert first.ratio.low < 1 < first.ratio.high
    differing = {difference.name for difference in first.differences}
    assert "precision" not in differing and "boundary" not in differing and "data set" in differing
    assert {item.row.study.key for item in [first, *others]} >= {"ai-energy-score", "power-hungry"}
    hungry = next(item for item in others if item.row.study.key == "power-hungry")
    assert {"boundary", "card", "precision"} <= {d.name for d in hungry.differences}


def test_an_architecture_has_the_figures_of_its_hub_id_with_other_weights():
    result = result_with_energy(0.5, model="sd-2.1", weights="random")
    matches = find_published_results(result)
    assert matches[0].row.model == "stabilityai/stable-diffusion-2-1"
    assert "weights" in {difference.name for difference in matches[0].differences}


def test_modelled_energy_has_no_ratio_to_published_figures():
    matches = find_published_results(
        result_with_energy(0.002, task="text-gen", model="gpt2", kind="modelled")
    )
    assert matches and all(item.ratio is None for item in matches)


def test_compare_published_prints_the_ratio(tmp_path):
    path = tmp_path / "a.json"
    storage.save_result(result_with_energy(0.002, task="text-gen", model="gpt2"), path)
    done = joulebench("compare", path, "--published")
    assert "times that" in done.stdout and "AI Energy Score" in done.stdout
    lines = joulebench("compare", path, "--published", "--json").stdout.splitlines()
    assert all(json.loads(line)["ratio"]["value"] > 0 for line in lines)
    storage.save_result(result_with_energy(0.002, model="no/one-knows"), path)
    assert joulebench("compare", path, "--published").returncode == 2
