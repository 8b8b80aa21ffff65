"""A task, meter, metric, backend, plot and exporter are each one new file, used by the commands."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Add a task")[2].partition("\n## ")[0]

METER = '''"""A power supply that delivers a constant 5 W."""
from bench.results.machine_record import Sensor
from bench.results.record import Reading

class ConstantSupply:
    name = "constant-supply"

    def probe(self):
        return Sensor(meter=self.name, usable=True, domains=("wall",), method="integrated",
                      calibration_relative_half_width=0.01, calibration_source="data sheet")

    def start(self):
        return None

    def stop(self, mark, began, ended):
        return (Reading(domain="wall", meter=self.name, method="integrated",
                        energy_joules=5.0 * (ended - began), standard_uncertainty_joules=0.0,
                        duration_seconds=ended - began),)

    def watts(self):
        return {"wall": 5.0}

def build(context):
    return ConstantSupply()
'''

METRIC = '''"""Error rate: the share of wrong labels."""
BETTER, RANGE = "lower", (0.0, 1.0)

def value(pairs):
    return sum(rows(pairs)) / len(pairs)

def rows(pairs):
    return [float(reference != prediction) for reference, prediction in pairs]
'''

BACKEND = '''"""A backend that answers every request with the label "ham"."""
from bench.backends import ServedBatch, simulated
from bench.task import Output

TAGS = ()
prepare = simulated.prepare

class ConstantSession(simulated.SimulatedSession):
    def serve(self, requests):
        work, _ = super().serve(requests)
        return ServedBatch(work, tuple(Output(label="ham") for _ in requests))

def load(spec, source=None):
    from bench.system.clock import SystemClock
    return ConstantSession(spec, SystemClock(), seconds=0.005)
'''

PLOT = '''"""Duration of every trial."""
from matplotlib.figure import Figure

SCOPE = "result"

def draw(results):
    figure = Figure()
    seconds = [trial.duration_seconds for trial in results[0].measured()]
    figure.subplots().plot(seconds)
    figure.set_label(f"{len(seconds)} trials")
    return figure
'''

EXPORTER = '''"""Names of the models, one a line."""
SUFFIX = ".txt"

def export(results, options):
    return "".join(f"{result.model.id}\\n" for result in results).encode()
'''

FILES = {
    "bench/meters/constant_supply.py": METER,
    "bench/workloads/metrics/error_rate.py": METRIC,
    "bench/backends/constant_answer.py": BACKEND,
    "bench/reports/plots/trial_durations.py": PLOT,
    "bench/reports/exporters/model_names.py": EXPORTER,
}


def readme_code(section):
    """The first two blocks of code in the section: the task file and its line of data."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", section, re.MULTILINE)
    return [re.sub(r"^    ", "", block.strip("\n"), flags=re.MULTILINE) + "\n" for block in blocks]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout of symbolic links, with the task of the README and one plug-in of each kind."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in ("bench", "tasks", "tests"):
        shutil.copytree(ROOT / package, folder / package, copy_function=os.symlink)
    task, row = readme_code(SECTION)[:2]
    (folder / "tasks/headlines.py").write_text(task)
    (folder / "headlines.jsonl").write_text(row)
    # The same task with another metric, and a data set with one wrong answer in four.
    other = task.replace('"accuracy", "accuracy"', '"error rate", "error-rate"')
    (folder / "tasks/headline_errors.py").write_text(other.replace("headlines", "headline-errors"))
    rows = [{"text": f"headline {n}", "label": "spam" if n == 0 else "ham"} for n in range(4)]
    (folder / "four.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for path, text in FILES.items():
        (folder / path).write_text(text)
    return folder


def python(folder, *words):
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def joulebench(folder, *words):
    return python(folder, "-m", "bench", *words)


@pytest.fixture(scope="module")
def result(checkout):
    """The record of a run that uses the new task, metric, meter and backend, and its file."""
    words = ["--model", "any", "--backend", "constant-answer", "--meter", "constant-supply"]
    data = ["--dataset", "four.jsonl", "--quick", "--json", "--out", "runs"]
    record = json.loads(joulebench(checkout, "run", "headline-errors", *words, *data))
    (path,) = checkout.glob("runs/headline-errors/*.json")
    return record, path


def test_readme_task_runs_with_an_embedded_model(checkout):
    words = ["--model", "embedded/tiny", "--dataset", "headlines.jsonl", "--quick", "--json"]
    record = json.loads(joulebench(checkout, "run", "headlines", *words, "--out", "runs"))
    assert record["status"] == "done" and record["task"]["id"] == "headlines"
    assert record["model"]["parameter_count"] > 0
    assert record["quality"]["metric"] == "accuracy" and record["quality"]["value"] in (0.0, 1.0)
    assert re.fullmatch(r"[0-9a-f]{64}", record["task"]["fingerprint"])


def test_readme_task_is_listed_and_keeps_the_pipeline_tag_of_the_shipped_task(checkout):
    tasks = json.loads(joulebench(checkout, "tasks", "--json"))
    assert {
        "id": "headlines",
        "tag": "text-classification",
        "title": "Headlines: spam or not.",
        "embedded": {},
    } in tasks
    code = "from bench.system import registry; print(registry.find_task('text-classification').id)"
    assert python(checkout, "-c", code) == "text-classification\n"


@pytest.mark.parametrize(
    ("file", "selection"),
    [
        ("test_tasks.py", "headlines or golden"),
        ("test_exporters.py", "form or suffix or energy"),
        ("test_plots.py", "listed or scope or draw_all"),
    ],
)
def test_suite_passes_with_the_plugins_in_place(checkout, file, selection):
    words = ["-q", "-p", "no:cacheprovider", f"tests/{file}", "-k", selection]
    assert re.search(r"\d+ passed", python(checkout, "-m", "pytest", *words, "-o", "addopts="))


def test_new_metric_scores_the_answers(result):
    quality = result[0]["quality"]
    assert (quality["metric"], quality["value"], quality["sample_count"]) == ("error rate", 0.25, 4)


def test_new_meter_is_the_measured_boundary(result):
    record = result[0]
    assert record["boundary"] == {"domains": ["wall"], "kind": "measured"}
    for trial in record["trials"]:
        for reading in trial["readings"]:
            expected = 5.0 * reading["duration_seconds"]
            assert reading["energy_joules"] == pytest.approx(expected)


def test_new_plot_is_drawn(checkout, result):
    drawn = json.loads(
        joulebench(checkout, "plot", "trial-durations", result[1], "--out", "plots", "--json")
    )
    assert {Path(name).suffix for name in drawn} == {".png", ".svg"}
    svg = next((checkout / "plots").glob("trial-durations-headline-errors-*.svg"))
    measured = [trial for trial in result[0]["trials"] if trial["phase"] == "measured"]
    assert f"{len(measured)} trials" in svg.read_text()


def test_new_exporter_writes_its_form(checkout, result):
    assert joulebench(checkout, "export", "model-names", result[1]) == "any\n"
