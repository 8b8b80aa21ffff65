"""The example that trains under `track()`: it runs, and its page says what the energies are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import levers_page
import pytest
from levers_page import Turn

from bench.impact.hourly_profile import DailyProfile

EXAMPLES = Path(levers_page.__file__).parent
RIGHT = (1.0, 1.0, 0.0, 1.0)


def turns(*joules: float, modelled: bool = False) -> list[Turn]:
    return [Turn(j, 1.0, ("gpu:0",), modelled, RIGHT) for j in joules]


DONE = {
    "first": turns(100.0, 102.0, 98.0, 101.0),
    "half": turns(50.0, 51.5, 49.0, 50.0),
    "same": turns(99.0, 103.0, 98.5, 100.0),
    "more": turns(150.0, 153.0, 147.0, 152.0),
}


def test_the_example_trains_and_writes_its_page(tmp_path: Path) -> None:
    page = tmp_path / "levers.md"
    command = [sys.executable, str(EXAMPLES / "training_levers.py"), "--quick", "--out", str(page)]
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
    if "cpu-package:0" in text:
        assert "modelled" in text and "NOT measured" in text


def test_a_saving_is_claimed_only_where_the_interval_tells() -> None:
    rows = {line.split("|")[1].strip(): line for line in levers_page.table(DONE)}
    assert "**50%**" in rows["half"]
    assert "none that can be told" in rows["same"]
    assert "50% more" in rows["more"]
    assert "75.0 (" in rows["first"]


def test_the_page_says_measured_only_of_what_was() -> None:
    assert "was measured" in levers_page.page(DONE, "a card", False, None)
    modelled = {name: turns(1.0, 1.1, modelled=True) for name in DONE}
    assert "NOT measured" in levers_page.page(modelled, "a CPU", False, None)


def test_hours_come_from_the_users_own_day_or_not_at_all() -> None:
    assert "none is made up" in levers_page.page(DONE, "a card", False, None)
    day = DailyProfile((100.0, *(300.0,) * 22, 400.0), "average", "unstated", "day.csv")
    text = levers_page.page(DONE, "a card", False, day)
    mean_kwh = 100.25 / 3.6e6
    assert f"{1000 * mean_kwh * 100:.2g} mg CO2e in the hour from 0:00" in text
    assert f"{1000 * mean_kwh * 400:.2g} mg in the one from 23:00" in text


def test_places_are_of_one_basis() -> None:
    lines = list(levers_page.places(DONE))
    assert any("life-cycle" in line for line in lines)
    assert sum(line.startswith("| ") for line in lines) == 1 + len(levers_page.GRIDS)


@pytest.mark.parametrize("words", [["--rounds", "1"], ["--hours", "nowhere.csv"]])
def test_bad_input_is_refused(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "training_levers.py"), *words]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
