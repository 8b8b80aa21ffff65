"""The GPU check without a GPU: the sensor part on a simulated driver, the battery on the CPU."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from simulated_nvml import build, compiler
from synthetic_results import synthetic_result

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.gpu_check import battery, battery_page, published, record, wave
from tools.gpu_check.__main__ import main
from tools.gpu_check.trail import Change, crossing, line, mean_power, mean_watts

pytestmark = pytest.mark.timing

SCENE = Path(__file__).with_name("gpu_check_scenario.py")
ROOT = SCENE.parents[1]
SHARE = "rest_seconds=1.2,load_seconds=0.2,bursts=3,wave_steps=60,work_seconds=0.05"
RUNS = {
    "h100": "rest_seconds=1.5,load_seconds=1,bursts=3,wave_steps=52,sweep_steps=8,pairs=2,"
    "work_seconds=0.4,runs=3",
    "part-time-counter": f"{SHARE},only=looking_share",
    "lagging": f"{SHARE},only=lag",
    "part-time-power": f"{SHARE},only=looking_share+overhead",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The card of each profile's record, with the Markdown page; all run side by side."""
    if compiler() is None:
        pytest.skip("no C compiler for the driver")
    library = build(tmp_path_factory.mktemp("driver"))
    running = {}
    for profile, figures in RUNS.items():
        out = tmp_path_factory.mktemp(profile)
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(library),
            "JOULEBENCH_SIMULATED_GPUS": str(out / "gpus"),
        }
        environment.pop("CUDA_VISIBLE_DEVICES", None)
        words = [sys.executable, str(SCENE), profile, figures, str(out)]
        running[profile] = out, subprocess.Popen(words, env=environment, stderr=subprocess.PIPE)
    cards = {}
    for profile, (out, process) in running.items():
        said = process.communicate(timeout=120)[1].decode()
        assert process.returncode == 0, said
        (page,), (data,) = out.glob("*.md"), out.glob("*.json")
        whole = json.loads(data.read_text())
        cards[profile] = {**whole["cards"][0], "page": page.read_text(), "name": data.name}
    return cards


def test_the_sensor_is_found_as_it_was_made(found):
    card = found["h100"]
    rest = card["at_rest"]
    assert card["device"]["domain"] == "gpu:0"
    assert rest["counter_step_seconds"] == pytest.approx(0.04, rel=0.03)
    assert 0.0003 < rest["counter_jitter_seconds"] < 0.004
    assert rest["counter_quantum_joules"] == 0.001
    assert 0 < rest["counter_read_seconds"] < 0.002
    assert rest["power_update_seconds"] == pytest.approx(0.04, rel=0.1)
    assert rest["counter_watts"] == pytest.approx(70.0, rel=0.02)
    assert rest["counter_to_power_ratio"] == pytest.approx(1, abs=0.03)
    assert card["under_load"]["counter_watts"] == pytest.approx(420.0, rel=0.01)
    assert card["skipped"] == []
    assert card["name"].startswith("gpu-check-sensor-simulated-h100-999.10-2")


@pytest.mark.parametrize(("profile", "late"), [("h100", 0.004), ("lagging", 0.06)])
def test_the_lag_is_found_at_both_ends_of_a_load(found, profile, late):
    lag = found[profile]["lag"]
    assert lag["lag_at_start_seconds"] == pytest.approx(late, abs=0.004)
    assert lag["lag_at_end_seconds"] == pytest.approx(late, abs=0.004)


def test_a_drifting_wave_tells_a_counter_that_integrates_from_one_that_samples(found):
    whole, part = (found[p]["looking_share"] for p in ("h100", "part-time-counter"))
    assert whole["counter_looking_share"] > 0.8
    assert whole["verdict"] == "the counter integrates all the time"
    assert part["counter_looking_share"] == pytest.approx(0.25, abs=0.1)
    assert "sums samples" in part["verdict"]
    assert "nvml_counter_duty=0.2" in found["part-time-counter"]["page"]
    assert "nvml_counter_duty" not in found["h100"]["page"]
    for share in (whole, part):
        assert share["power_looking_share"] == pytest.approx(0.25, abs=0.1)
        assert share["wave_duty"] == pytest.approx(0.5, abs=0.05)
    for row in found["h100"]["sweep"]:
        assert row["seen_share"] == pytest.approx(row["duty"], abs=0.06)


def test_without_a_counter_the_power_reading_is_still_judged(found):
    card = found["part-time-power"]
    assert card["at_rest"]["counter_step_seconds"] is None
    assert "does not support" in card["at_rest"]["counter_failure"]
    assert card["looking_share"]["counter_looking_share"] is None
    assert card["looking_share"]["power_looking_share"] == pytest.approx(0.25, abs=0.1)
    assert any(line.startswith("overhead: ") for line in card["skipped"])
    assert "Not done: overhead: the GPU does not support this reading." in card["page"]


def test_our_meters_cost_nothing_of_a_load_that_only_sleeps_and_it_repeats(found):
    card = found["h100"]
    ours, repeat = card["overhead"], card["repeatability"]
    # 260 W for 10 ms an inference is what the made load draws.
    assert ours["bare_joules_per_inference"] == pytest.approx(2.6, rel=0.05)
    assert ours["energy_ratio"]["value"] == pytest.approx(1, abs=0.05)
    assert ours["time_ratio"]["value"] == pytest.approx(1, abs=0.02)
    assert repeat["joules_per_inference"] == pytest.approx(2.6, rel=0.02)
    assert repeat["run_count"] == 3 and repeat["missing"] == []
    assert repeat["relative_standard_deviation"] < 0.02


@pytest.mark.parametrize("looking", [0.1, 0.25, 0.5, 0.7, 0.9])
def test_the_share_is_that_of_a_sensor_that_looks_for_so_long(looking):
    chance = random.Random(3)
    seen = []
    for _ in range(4000):
        phase = chance.random()
        ticks = [(phase + looking * (i + 0.5) / 200) % 1 < 0.5 for i in range(200)]
        seen.append(100 + 300 * sum(ticks) / 200)
    assert wave.share(seen, 100.0, 400.0) == pytest.approx(wave.DRIFT * looking, abs=0.03)


def test_a_wave_without_a_swing_tells_nothing():
    assert wave.share([100.0] * 50, 100.0, 100.0) is None
    assert wave.share([100.0] * 5, 100.0, 400.0) is None
    assert wave.verdict(None) == "could not be told"
    assert "unclear" in wave.verdict(0.7)


def test_lines_and_means():
    steps = [Change(t, 0.0, 5.0 + 2.0 * t) for t in (0.0, 1.0, 3.0)]
    assert line(steps) == pytest.approx((5.0, 2.0))
    assert line(steps[:2]) is None
    assert mean_watts(steps) == pytest.approx(2.0) and mean_watts(steps[:1]) is None
    assert crossing((0.0, 1.0), (-2.0, 2.0)) == pytest.approx(2.0)
    assert crossing((0.0, 1.0), (1.0, 1.0)) is None and crossing(None, (1.0, 1.0)) is None
    samples = [(0.0, 10.0), (1.0, 20.0), (2.0, 20.0), (9.0, 999.0)]
    assert mean_power(samples, 0.0, 2.0) == pytest.approx(17.5)


@pytest.mark.parametrize(
    ("pace", "seconds", "size"), [(0.006, 50, 6), (4.0, 120, 3), (10.0, 170, 1), (60.0, 10, 1)]
)
def test_a_block_is_what_fits_and_never_nothing(pace, seconds, size):
    assert battery.block_size(pace, seconds) == size


def test_the_sensor_part_needs_a_gpu(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tools.gpu_check.parts.gpu_count", lambda: 0)
    assert main(["sensor", "--out", str(tmp_path)]) == 2
    assert "no NVIDIA GPU" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_model_or_budget_is_refused(capsys):
    assert main(["battery", "--models", "gpt5"]) == 2
    assert "no 'gpt5'" in capsys.readouterr().err
    assert main(["battery", "--budget", "soon"]) == 2
    assert "'soon'" in capsys.readouterr().err


def test_the_battery_runs_and_says_what_it_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(battery, "_installed", lambda name: False)
    monkeypatch.setattr(battery.machine, "lock", lambda *a: nullcontext())
    gone = published.Entry("image-caption", "blip", "float32", 0.1, 1.0)
    monkeypatch.setattr(published, "ENTRIES", (*published.ENTRIES, gone))
    words = ["battery", "--device", "cpu", "--budget", "tiny", "--out", str(tmp_path)]
    assert main([*words, "--models", "distilbert,sdxl,blip"]) == 0
    (data,), (page,) = tmp_path.glob("*.json"), tmp_path.glob("*.md")
    whole = json.loads(data.read_text())
    (row,) = whole["rows"]
    assert row["model"] == "distilbert" and row["dtype"] == "float32"
    assert row["inference_count"] == row["window_count"] == 5
    assert row["result"]["status"] == "done" and row["result"]["model"]["weights"] == "random"
    assert row["result"]["task"]["dataset"] == battery.DATASET
    assert math.isfinite(row["seconds_per_inference"]) and row["seconds_per_inference"] > 0
    # Nothing of a GPU was read, so nothing is compared: missing is never zero.
    assert row["gpu_kwh_per_1000"] is None and row["ratio"] is None
    assert any("diffusers is not installed" in why for why in whole["skipped"])
    assert any("blip is left out: there is no task 'image-caption'" in w for w in whole["skipped"])
    assert "no GPU energy was read" in page.read_text()
    assert "blip is left out" in page.read_text()


def test_published_settings_are_those_of_the_standard_data_set():
    assert battery._workload("image-gen").parameters["steps"] == 30
    assert battery._workload("text-gen").parameters["new_tokens"] == 10


def test_the_gpu_alone_is_compared_and_a_missing_window_leaves_no_figure():
    entry = published.Entry("image-gen", "x", "float32", 1.0, published_kwh_per_1000=0.01)
    result = synthetic_result(energies=(3000.0,) * 5, inferences=100)
    row = published.compared(entry, "gpu:0", result)
    assert row["gpu_kwh_per_1000"] == pytest.approx(30 * 1000 / 3.6e6)
    assert row["ratio"] == pytest.approx(0.8333, rel=1e-3)
    assert row["inference_count"] == 500 and row["seconds_per_inference"] == pytest.approx(0.1)
    assert published.compared(entry, "gpu:1", result)["gpu_kwh_per_1000"] is None
    assert published.compared(entry, None, result)["ratio"] is None


def test_a_missing_package_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tools.gpu_check.parts", None)
    monkeypatch.delattr("tools.gpu_check.parts", raising=False)
    assert main(["sensor"]) == 2
    assert "is not installed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(1.1, "within 25 %"), (1.3, "30 % above the published"), (0.5, "50 % below the published")],
)
def test_a_remark_is_made_where_a_figure_is_off(ratio, words):
    result = {"status": "done", "failure": None, "stop_reason": "target"}
    row = {"ratio": ratio, "inference_count": 30, "result": result}
    assert words in battery_page.remark(row)
    assert "stopped by target" in battery_page.remark({**row, "inference_count": 5})
    failed = {**result, "status": "failed", "failure": {"message": "no memory"}}
    assert battery_page.remark({**row, "result": failed}) == "failed: no memory"


def test_a_record_holds_no_figure_that_is_none(tmp_path):
    device = {"domain": "gpu:0", "name": "X", "used": True, "driver_version": "1"}
    head = {"part": "sensor", "created_at": "2026-01-02T00:00:00Z"}
    bad = {**head, "machine": {"devices": [device]}, "figure": math.nan}
    with pytest.raises(ValueError, match="not JSON compliant"):
        record.write(bad, "", tmp_path)
    paths = record.write({**bad, "figure": None}, "words", tmp_path)
    assert [path.name for path in paths] == [
        "gpu-check-sensor-x-1-2026-01-02.json",
        "gpu-check-sensor-x-1-2026-01-02.md",
    ]
