"""Several runs, each in a process of its own: results pass on, the first bad exit code counts."""

import io
import json
import subprocess
import sys

import pytest

from bench.cli import _batch
from bench.results import storage

RUN = ["--quick", "--model", "embedded/tiny"]
TWO = """
import sys
from bench.system import registry
registry.names = lambda kind, names=registry.names: (
    ["text-classification", "no-such-task"] if kind == "task" else names(kind))
from bench.cli import main
main()
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """`joulebench run all`, on a real task and on one that does not exist."""
    out = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-c", TWO, "run", "all", *RUN, "--out", str(out), "--json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=250, check=False), out


def test_a_task_that_fails_stops_no_other_and_gives_the_exit_code(ended):
    done, out = ended
    assert done.returncode == 2
    (line,) = done.stdout.splitlines()
    result = storage.parse_result(line)
    assert result.profile == "quick" and result.task.id == "text-classification"
    assert [path.suffix for path in sorted(out.glob("*/*"))] == [".json", ".png", ".svg"]
    assert json.loads(line)["model"]["id"] == "embedded/tiny"


def test_the_table_has_a_line_a_task(ended):
    done, _ = ended
    assert "· 2 of 2: no-such-task" in done.stderr
    lines = done.stderr.splitlines()
    (row,) = [line for line in lines if line.lstrip().startswith("text-classification ")]
    assert "Wh" in row and "accuracy" in row and "ms" in row
    (missing,) = [line for line in lines if line.lstrip().startswith("no-such-task ")]
    assert "exit 2" in missing and "there is no task" in missing
    assert "2 tasks in" in done.stderr


def test_random_weights_and_modelled_energy_are_said_below_the_table():
    said = io.StringIO()
    _batch.print_overview([_batch.TaskOutcome("asr", 3, None, "no memory")], 12.3, said)
    assert "asr" in said.getvalue() and "no memory" in said.getvalue()
    assert "modelled" not in said.getvalue() and "random" not in said.getvalue()


def test_the_first_bad_exit_code_counts():
    assert _batch.first_bad([0, 3, 2]) == 3
    assert _batch.first_bad([0, 0]) == 0
