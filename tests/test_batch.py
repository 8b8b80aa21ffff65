"""Runs of all tasks, each in a process of its own: results, exit code, table."""

import io
import json
import subprocess
import sys

import pytest

from bench.cli import _batch
from bench.results import storage

pytestmark = pytest.mark.slow

RUN = ["--quick", "--model", "embedded/tiny"]
TWO_TASKS = """
import sys
from bench.system import registry
registry.names = lambda kind, names=registry.names: (
    ["text-classification", "no-such-task"] if kind == "task" else names(kind))
from bench.cli import main
main()
"""


@pytest.fixture(scope="module")
def all_tasks(tmp_path_factory):
    """`joulebench run all`, on a real task and on one that does not exist."""
    out = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-c", TWO_TASKS, "run", "all", *RUN, "--out", str(out), "--json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=250, check=False), out


def test_a_failing_task_gives_the_exit_code_and_the_others_still_run(all_tasks):
    done, out = all_tasks
    assert done.returncode == 2
    (line,) = done.stdout.splitlines()
    result = storage.parse_result(line)
    assert result.profile == "quick" and result.task.id == "text-classification"
    assert [path.suffix for path in sorted(out.glob("*/*"))] == [".json", ".png", ".svg"]
    assert json.loads(line)["model"]["id"] == "embedded/tiny"


def test_the_table_has_one_line_for_each_task(all_tasks):
    done, _ = all_tasks
    assert "· 2 of 2: no-such-task" in done.stderr
    lines = done.stderr.splitlines()
    (row,) = [line for line in lines if line.lstrip().startswith("text-classification ")]
    assert "Wh" in row and "accuracy" in row and "ms" in row
    (missing,) = [line for line in lines if line.lstrip().startswith("no-such-task ")]
    assert "exit 2" in missing and "there is no task" in missing
    assert "2 tasks in" in done.stderr


def test_the_table_has_no_notes_that_do_not_apply():
    stream = io.StringIO()
    _batch.print_overview([_batch.TaskOutcome("asr", 3, None, "no memory")], 12.3, stream)
    assert "asr" in stream.getvalue() and "no memory" in stream.getvalue()
    assert "modelled" not in stream.getvalue() and "random" not in stream.getvalue()


def test_the_first_exit_code_that_is_not_zero_is_returned():
    assert _batch.first_failure_code([0, 3, 2]) == 3
    assert _batch.first_failure_code([0, 0]) == 0
