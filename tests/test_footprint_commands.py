"""The commands that say what energy means, as processes: what they print, and bad input."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def joulebench(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *words]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == code, process.stderr
    return process


def refused(*words: str) -> str:
    """The one sentence of a refusal; nothing else is said."""
    process = joulebench(*words, code=2)
    assert process.stdout == "" and len(process.stderr.splitlines()) == 1, process.stderr
    assert process.stderr.startswith("joulebench: ") and "Traceback" not in process.stderr
    return process.stderr


def test_facts_of_a_region_with_source_and_licence():
    lines = joulebench("facts", "grid", "--region", "FR", "--json").stdout.splitlines()
    fact = json.loads(lines[0])
    assert (fact["key"], fact["value"], fact["basis"]) == ("FR", 44.18, "life-cycle")
    assert fact["licence"] == "CC BY-SA 4.0" and fact["source"] and fact["edition"] == "2024"
    shown = joulebench("facts", "--region", "aws:eu-west-3").stdout
    assert "CC BY-SA 4.0" in shown and "market-based" in shown and "L/kWh" in shown


def test_facts_lists_its_tables():
    shown = joulebench("facts").stdout
    assert "equivalences" in shown and "CC BY-SA 4.0" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("facts", "nope"), "equivalences"),
        (("facts", "--region", "Frnace"), "FR (France)"),
        (("facts", "gpu", "--region", "FR"), "gpu"),
    ],
)
def test_facts_refuses_what_it_does_not_have(words, said):
    assert said in refused(*words)
