"""The command line as a process: exit codes, messages for bad input, saved results."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from bench.results import statistics, storage
from bench.workloads import embedded

SCHEMA = json.loads((Path(storage.__file__).parent / "result.schema.json").read_text())
# No server listens on this port, so the hub cannot be reached.
NO_HUB = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
QUICK = ["run", "text-classification", "--model", "embedded/tiny", "--quick"]


def joulebench(*words, cwd=None, timeout=240):
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, env=NO_HUB, cwd=cwd, check=False
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A quick run of two real models with the meters of this machine."""
    out = tmp_path_factory.mktemp("runs")
    done = joulebench(*QUICK, "--model", "embedded/small", "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    return out, done


def test_json_prints_one_line_for_each_result_and_nothing_else(quick):
    _, done = quick
    lines = done.stdout.splitlines()
    assert [json.loads(line)["model"]["id"] for line in lines] == [
        "embedded/tiny",
        "embedded/small",
    ]


def test_results_are_valid_and_agree_with_their_trials(quick):
    out, _ = quick
    files = sorted(out.glob("text-classification/*.json"))
    assert len(files) == 2
    for path in files:
        jsonschema.validate(json.loads(path.read_text()), SCHEMA)
        result = storage.load_result(path)
        assert result.status == "done" and result.profile == "quick" and not result.rankable
        again = statistics.summarize(result.trials, result.boundary, result.idle, result.task.unit)
        assert again == result.summary
        energy = result.summary.energy_kwh_per_1000
        assert energy.low <= energy.value <= energy.high
        assert energy.value > 0
        assert result.quality.value > 0.4
        assert {s.meter for s in result.machine.sensors} >= {"nvml", "rapl", "modelled"}
        assert all(s.usable or s.reason for s in result.machine.sensors)
        assert path.with_suffix(".png").stat().st_size > 10_000


def test_the_summary_states_energy_interval_boundary_and_equivalences(quick):
    out, done = quick
    for words in (
        "per 1,000 inferences", "95 % interval", "one charge: 19 Wh", "World (472.94 g/kWh)",
        "France (44.18 g/kWh)", "West Virginia", "boundary", "main uncertainty", "saved", "next",
    ):  # fmt: skip
        assert words in " ".join(done.stderr.split())
    path = next(out.glob("text-classification/*.json"))
    shown = joulebench("show", path, "--edition", "iea-2025")
    assert "one charge: 15 Wh" in " ".join(shown.stdout.split())


def test_a_machine_without_sensor_has_a_warning(quick):
    out, _ = quick
    result = storage.load_result(next(out.glob("text-classification/*.json")))
    if result.boundary.kind == "measured":
        pytest.skip("this machine has a sensor")
    assert "energy-modelled" in {warning.code for warning in result.warnings}
    assert result.calibration.relative_half_width > 0.5
    assert all(r.method == "modelled" for t in result.trials for r in t.readings)


def test_submit_board_and_plots_write_their_files(quick, tmp_path):
    out, _ = quick
    results = tmp_path / "results"
    for path in out.glob("text-classification/*.json"):
        assert joulebench("submit", path, "--results", results).returncode == 0
    again = joulebench("submit", path, "--results", results)
    assert again.returncode == 4 and "refused" in again.stderr
    assert joulebench("board", "--results", results).returncode == 0
    board = json.loads((results / "leaderboard.json").read_text())
    assert "embedded/small" in json.dumps(board)
    assert "embedded/small" in (results / "site/data/board.js").read_text()
    assert joulebench("plots", "--results", results).returncode == 0
    assert list((results / "plots").glob("*.png")) and list((results / "plots").glob("*.svg"))


def test_an_edited_summary_is_refused(quick, tmp_path):
    out, _ = quick
    content = json.loads(next(out.glob("text-classification/*.json")).read_text())
    content["summary"]["energy_kwh_per_1000"]["value"] *= 0.999
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(content))
    done = joulebench("submit", path, "--results", tmp_path / "results")
    assert done.returncode == 4
    assert not list(tmp_path.glob("results/**/*.json"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "imge-gen"], "did you mean image-gen"),
        (["run", "image-gen", "--model", "embedded/huge"], "no embedded model"),
        (["run", "text-gen", "--model", "/no/such/folder"], "there is no folder"),
        (["run", "text-gen", "--dataset", "wikpedia"], "no data set 'wikpedia'"),
        (["run", "text-gen", "--device", "cuda:7"], "cuda:7"),
        (["run", "text-gen", "--device", "tpu"], "none of auto, cpu"),
        (["run", "text-gen", "--edition", "epa-1990"], "epa-1990"),
        (["run", "text-gen", "--backend", "vlm"], "no backend 'vlm'"),
        (["run", "text-gen", "--meter", "replay:none.csv"], "no power trace"),
        (["run", "text-gen", "--strict", "--quick"], "--strict"),
        (["run", "text-gen", "--ask", "prompt"], "--ask is for text classification"),
        (["run", "text-gen", "--model", "gpt2"], "embedded/small"),
        (["run", "text-gen", "--model", "gpt2", "--weights", "random"], "--dataset embedded"),
        (["run", "text-gen", "--out", "/dev/null/results"], "cannot be saved"),
        (["run", "text-gen", "--steps", "3"], "for tasks that draw"),
        (["run", "image-gen", "--size", "10x10"], "multiples of 8"),
        (["run", "text-gen", "--device", "cpu", "--quantization", "int4"], "needs a GPU"),
        (
            ["run", "text-gen", "--model", "embedded/tiny", "--model", "embedded/huge"],
            "no embedded",
        ),
        (["levers", "text-gen", "--lever", "speed=11"], "no setting 'speed=11'"),
        (["show", "/no/such.json"], "cannot be read"),
        (["submit", "/no/such.json"], "there is no file"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_bad_input_is_refused_in_one_sentence_with_exit_code_2(words, message, tmp_path):
    done = joulebench(*words, cwd=tmp_path)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("joulebench: ")]
    assert len(lines) == 1 and message in lines[0], done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("words", [["run"], ["run", "text-gen", "--batch-size", "0"], ["fly"]])
def test_bad_options_end_with_exit_code_2(words):
    assert joulebench(*words).returncode == 2


@pytest.mark.slow
def test_a_failing_model_is_a_result_with_exit_code_3(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(embedded.model_path("text-gen", "tiny"), folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 2**40}))
    words = ["--weights", "random", "--dataset", "embedded", "--quick", "--out", tmp_path]
    done = joulebench("run", "text-gen", "--model", folder, *words)
    assert done.returncode == 3, done.stderr
    result = storage.load_result(next(tmp_path.glob("text-gen/*.json")))
    assert (result.status, result.failure.code) == ("failed", "out-of-memory")
    jsonschema.validate(json.loads(storage.to_json(result)), SCHEMA)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_an_ended_run_keeps_its_finished_trials(ending, tmp_path):
    words = ["run", "text-classification", "--model", "embedded/tiny", "--max-inferences", "10"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *words, "--out", str(tmp_path)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=NO_HUB,
    )
    for line in process.stderr:
        if "trial 3" in line:
            process.send_signal(ending)
            break
    process.wait(timeout=60)
    process.stderr.close()
    result = storage.load_result(next(tmp_path.glob("text-classification/*.json")))
    assert result.status == "interrupted"
    assert len(result.measured()) >= 2
    assert process.returncode == (130 if ending == signal.SIGINT else -signal.SIGKILL)


@pytest.mark.timing
def test_help_and_tasks_take_less_than_0_3_seconds():
    """On a quiet machine; the best of five, because other programs may run."""
    for words in (["--help"], ["tasks"]):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            assert joulebench(*words).returncode == 0
            times.append(time.perf_counter() - start)
        assert min(times) < 0.3


def test_tasks_lists_all_tasks():
    listed = json.loads(joulebench("tasks", "--json").stdout)
    assert {"image-gen", "text-gen", "text-classification"} <= {item["id"] for item in listed}
    assert all(item["title"] and item["tag"] for item in listed)
