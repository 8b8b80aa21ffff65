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

from tools.gpu_check import battery, battery_page, published, record, square_wave
from tools.gpu_check.__main__ import main
from tools.gpu_check.raw_readings import Change, crossing, line, mean_power, mean_watts

pytestmark = pytest.mark.timing

SCENARIO = Path(__file__).with_name("gpu_check_scenario.py")
ROOT = SCENARIO.parents[1]
DUTY = "rest_seconds=1.2,load_seconds=0.2,bursts=3,wave_steps=60,work_seconds=0.05"
RUNS = {
    "h100": "rest_seconds=1.5,load_seconds=1,bursts=3,wave_steps=52,sweep_steps=8,pairs=2,"
    "work_seconds=0.4,runs=3",
    "part-time-counter": f"{DUTY},only=duty",
    "lagging": f"{DUTY},only=lag",
    "part-time-power": f"{DUTY},only=duty+overhead",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of each profile's GPU, with the Markdown page; all run side by side."""
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
        command = [sys.executable, str(SCENARIO), profile, figures, str(out)]
        running[profile] = out, subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    gpus = {}
    for profile, (out, process) in running.items():
        stderr = process.communicate(timeout=120)[1].decode()
        assert process.returncode == 0, stderr
        (page,), (data,) = out.glob("*.md"), out.glob("*.json")
        content = json.loads(data.read_text())
        gpus[profile] = {**content["gpus"][0], "page": page.read_text(), "name": data.name}
    return gpus


def test_measured_sensor_is_the_simulated_one(results):
    gpu = results["h100"]
    rest = gpu["at_rest"]
    assert gpu["device"]["domain"] == "gpu:0"
    assert rest["counter_step_seconds"] == pytest.approx(0.04, rel=0.03)
    assert 0.0003 < rest["counter_jitter_seconds"] < 0.004
    assert rest["counter_quantum_joules"] == 0.001
    assert 0 < rest["counter_read_seconds"] < 0.002
    assert rest["power_update_seconds"] == pytest.approx(0.04, rel=0.1)
    assert rest["counter_watts"] == pytest.approx(70.0, rel=0.02)
    assert rest["counter_to_power_ratio"] == pytest.approx(1, abs=0.03)
    assert gpu["under_load"]["counter_watts"] == pytest.approx(420.0, rel=0.01)
    assert gpu["skipped"] == []
    assert gpu["name"].startswith("gpu-check-sensor-simulated-h100-999.10-2")


@pytest.mark.parametrize(("profile", "late"), [("h100", 0.004), ("lagging", 0.06)])
def test_lag_is_measured_at_both_ends_of_a_load(results, profile, late):
    lag = results[profile]["lag"]
    assert lag["lag_at_start_seconds"] == pytest.approx(late, abs=0.004)
    assert lag["lag_at_end_seconds"] == pytest.approx(late, abs=0.004)


def test_drifting_wave_distinguishes_full_time_from_part_time_counters(results):
    full_time, part_time = (results[p]["duty"] for p in ("h100", "part-time-counter"))
    assert full_time["counter_duty"] > 0.8
    assert full_time["conclusion"] == "the counter integrates all the time"
    assert part_time["counter_duty"] == pytest.approx(0.25, abs=0.1)
    assert "sums samples" in part_time["conclusion"]
    assert "nvml_counter_duty=0.2" in results["part-time-counter"]["page"]
    assert "nvml_counter_duty" not in results["h100"]["page"]
    for duty in (full_time, part_time):
        assert duty["power_duty"] == pytest.approx(0.25, abs=0.1)
        assert duty["wave_duty"] == pytest.approx(0.5, abs=0.05)
    for row in results["h100"]["sweep"]:
        assert row["counter_share"] == pytest.approx(row["duty"], abs=0.06)


def test_duty_of_the_power_reading_is_estimated_without_a_counter(results):
    gpu = results["part-time-power"]
    assert gpu["at_rest"]["counter_step_seconds"] is None
    assert "does not support" in gpu["at_rest"]["counter_failure"]
    assert gpu["duty"]["counter_duty"] is None
    assert gpu["duty"]["power_duty"] == pytest.approx(0.25, abs=0.1)
    assert any(line.startswith("overhead: ") for line in gpu["skipped"])
    assert "Not done: overhead: the GPU does not support this reading." in gpu["page"]


def test_meters_have_no_overhead_on_a_load_that_sleeps(results):
    gpu = results["h100"]
    overhead, repeat = gpu["overhead"], gpu["repeatability"]
    # The simulated load draws 260 W for 10 ms an inference.
    assert overhead["bare_joules_per_inference"] == pytest.approx(2.6, rel=0.05)
    assert overhead["energy_ratio"]["value"] == pytest.approx(1, abs=0.05)
    assert overhead["time_ratio"]["value"] == pytest.approx(1, abs=0.02)
    assert repeat["joules_per_inference"] == pytest.approx(2.6, rel=0.02)
    assert repeat["run_count"] == 3 and repeat["missing"] == []
    assert repeat["relative_standard_deviation"] < 0.02


@pytest.mark.parametrize("duty", [0.1, 0.25, 0.5, 0.7, 0.9])
def test_estimated_duty_is_that_of_the_sensor(duty):
    rng = random.Random(3)
    readings = []
    for _ in range(4000):
        phase = rng.random()
        ticks = [(phase + duty * (i + 0.5) / 200) % 1 < 0.5 for i in range(200)]
        readings.append(100 + 300 * sum(ticks) / 200)
    assert square_wave.estimate_duty(readings, 100.0, 400.0) == pytest.approx(
        square_wave.DRIFT * duty, abs=0.03
    )


def test_wave_without_a_swing_gives_no_duty():
    assert square_wave.estimate_duty([100.0] * 50, 100.0, 100.0) is None
    assert square_wave.estimate_duty([100.0] * 5, 100.0, 400.0) is None
    assert "could not be estimated" in square_wave.conclusion(None)
    assert "unclear" in square_wave.conclusion(0.7)


def test_lines_crossings_and_means():
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
def test_block_size_fits_the_time_and_is_at_least_one(pace, seconds, size):
    assert battery.block_size(pace, seconds) == size


def test_sensor_part_needs_a_gpu(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tools.gpu_check.parts.gpu_count", lambda: 0)
    assert main(["sensor", "--out", str(tmp_path)]) == 2
    assert "no NVIDIA GPU" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_unknown_model_or_budget_is_refused(capsys):
    assert main(["battery", "--models", "gpt5"]) == 2
    assert "no 'gpt5'" in capsys.readouterr().err
    assert main(["battery", "--budget", "soon"]) == 2
    assert "'soon'" in capsys.readouterr().err


def test_battery_runs_and_lists_skipped_models(tmp_path, monkeypatch):
    monkeypatch.setattr(battery, "_installed", lambda name: False)
    monkeypatch.setattr(battery.machine, "machine_lock", lambda *a: nullcontext())
    unknown = published.Entry("image-caption", "blip", "float32", 0.1, 1.0)
    monkeypatch.setattr(published, "ENTRIES", (*published.ENTRIES, unknown))
    arguments = ["battery", "--device", "cpu", "--budget", "tiny", "--out", str(tmp_path)]
    assert main([*arguments, "--models", "distilbert,sdxl,blip"]) == 0
    (data,), (page,) = tmp_path.glob("*.json"), tmp_path.glob("*.md")
    content = json.loads(data.read_text())
    (row,) = content["rows"]
    assert row["model"] == "distilbert" and row["dtype"] == "float32"
    assert row["inference_count"] == row["window_count"] == 5
    assert row["result"]["status"] == "done" and row["result"]["model"]["weights"] == "random"
    assert row["result"]["task"]["dataset"] == battery.DATASET
    assert math.isfinite(row["seconds_per_inference"]) and row["seconds_per_inference"] > 0
    # Nothing of a GPU was read, so nothing is compared: missing is never zero.
    assert row["gpu_kwh_per_1000"] is None and row["ratio"] is None
    assert any("diffusers is not installed" in line for line in content["skipped"])
    assert any(
        "blip is left out: there is no task 'image-caption'" in line for line in content["skipped"]
    )
    assert "no GPU energy was read" in page.read_text()
    assert "blip is left out" in page.read_text()


def test_battery_uses_the_settings_of_the_standard_data_set():
    assert battery._workload("image-gen").parameters["steps"] == 30
    assert battery._workload("text-gen").parameters["new_tokens"] == 10


def test_only_the_gpu_is_compared_and_a_missing_window_gives_none():
    entry = published.Entry("image-gen", "x", "float32", 1.0, published_kwh_per_1000=0.01)
    result = synthetic_result(energies=(3000.0,) * 5, inferences=100)
    row = published.compare(entry, "gpu:0", result)
    assert row["gpu_kwh_per_1000"] == pytest.approx(30 * 1000 / 3.6e6)
    assert row["ratio"] == pytest.approx(0.8333, rel=1e-3)
    assert row["inference_count"] == 500 and row["seconds_per_inference"] == pytest.approx(0.1)
    assert published.compare(entry, "gpu:1", result)["gpu_kwh_per_1000"] is None
    assert published.compare(entry, None, result)["ratio"] is None


def test_missing_package_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tools.gpu_check.parts", None)
    monkeypatch.delattr("tools.gpu_check.parts", raising=False)
    assert main(["sensor"]) == 2
    assert "is not installed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.1, "within 25 %"), (1.3, "30 % above the published"), (0.5, "50 % below the published")],
)
def test_remark_states_a_large_difference(ratio, text):
    result = {"status": "done", "failure": None, "stop_reason": "target"}
    row = {"ratio": ratio, "inference_count": 30, "result": result}
    assert text in battery_page.remark(row)
    assert "stopped by target" in battery_page.remark({**row, "inference_count": 5})
    failed = {**result, "status": "failed", "failure": {"message": "no memory"}}
    assert battery_page.remark({**row, "result": failed}) == "failed: no memory"


def test_record_with_a_nan_is_refused(tmp_path):
    device = {"domain": "gpu:0", "name": "X", "used": True, "driver_version": "1"}
    head = {"part": "sensor", "created_at": "2026-01-02T00:00:00Z"}
    bad = {**head, "machine": {"devices": [device]}, "figure": math.nan}
    with pytest.raises(ValueError, match="not JSON compliant"):
        record.write(bad, "", tmp_path)
    paths = record.write({**bad, "figure": None}, "page", tmp_path)
    assert [path.name for path in paths] == [
        "gpu-check-sensor-x-1-2026-01-02.json",
        "gpu-check-sensor-x-1-2026-01-02.md",
    ]
