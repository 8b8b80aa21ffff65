"""The example that measures trainings under `track()`: it runs, and its page is complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ablation_page
import pytest
from ablation_page import TrainingRun

from bench.impact.hourly_profile import DailyProfile

pytestmark = pytest.mark.slow

EXAMPLES = Path(ablation_page.__file__).parent
CORRECT = (1.0, 1.0, 0.0, 1.0)


def training_runs(*joules: float, modelled: bool = False) -> list[TrainingRun]:
    return [TrainingRun(j, 1.0, ("gpu:0",), modelled, CORRECT) for j in joules]


RUNS = {
    "first": training_runs(100.0, 102.0, 98.0, 101.0),
    "half": training_runs(50.0, 51.5, 49.0, 50.0),
    "same": training_runs(99.0, 103.0, 98.5, 100.0),
    "more": training_runs(150.0, 153.0, 147.0, 152.0),
}


def test_example_trains_and_writes_its_page(tmp_path: Path) -> None:
    page = tmp_path / "levers.md"
    command = [
        sys.executable,
        str(EXAMPLES / "training_ablation.py"),
        "--quick",
        "--out",
        str(page),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=280)
    text = page.read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "(" in line]
    assert [row.split("|")[1].strip() for row in rows] == [
        "from scratch, float32",
        "bfloat16",
        "early stopping",
        "gradient accumulation, 4 parts",
        "fine-tuning",
        "fine-tuning, bfloat16, early stopping",
    ]
    assert "quick run" in text
    if "cpu-package:0" in text or "cpu-time" in text:
        assert "modelled" in text and "NOT measured" in text


def test_saving_is_claimed_only_where_the_interval_excludes_1() -> None:
    rows = {line.split("|")[1].strip(): line for line in ablation_page.table(RUNS)}
    assert "**50%**" in rows["half"]
    assert "not significant" in rows["same"]
    assert "50% more" in rows["more"]
    assert "75.0 (" in rows["first"]


def test_page_distinguishes_measured_from_modelled() -> None:
    assert "was measured" in ablation_page.page(RUNS, "a card", False, None)
    modelled = {name: training_runs(1.0, 1.1, modelled=True) for name in RUNS}
    assert "NOT measured" in ablation_page.page(modelled, "a CPU", False, None)


def test_hours_are_those_of_the_users_file() -> None:
    assert "ships no hourly intensity" in ablation_page.page(RUNS, "a card", False, None)
    day = DailyProfile((100.0, *(300.0,) * 22, 400.0), "average", "unstated", "day.csv")
    text = ablation_page.page(RUNS, "a card", False, day)
    mean_kwh = 100.25 / 3.6e6
    assert f"{1000 * mean_kwh * 100:.2g} mg CO2e in the hour from 0:00" in text
    assert f"{1000 * mean_kwh * 400:.2g} mg in the one from 23:00" in text


def test_grids_are_of_one_basis() -> None:
    lines = list(ablation_page.grid_table(RUNS))
    assert any("life-cycle" in line for line in lines)
    assert sum(line.startswith("| ") for line in lines) == 1 + len(ablation_page.GRIDS)


@pytest.mark.parametrize("words", [["--rounds", "1"], ["--hours", "nowhere.csv"]])
def test_bad_input_is_refused(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "training_ablation.py"), *words]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
