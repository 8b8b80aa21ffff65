"""The command `joulebench`: listing, unknown names, and what is imported before a command runs."""

import subprocess
import sys

import pytest

from bench.system import registry

# Libraries that cost more than 30 ms each to import; only commands that use them may.
LARGE = {"pydantic", "jinja2", "numpy", "matplotlib", "torch", "datasets", "pynvml"}
MAIN = """
import sys
sys.argv[1:] = {words!r}
from bench.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
REPORT = f"\nprint(*sorted({LARGE!r} & set(sys.modules)), file=sys.stderr)"


def joulebench(*words):
    command = [sys.executable, "-m", "bench", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_lists_every_command_with_its_summary():
    lines = [
        line.strip("│ ").split(maxsplit=1) for line in joulebench("--help").stdout.splitlines()
    ]
    summaries = {words[0]: words[1] for words in lines if len(words) == 2}
    assert {*registry.names("command")} <= {*summaries}
    assert summaries["tasks"] == "List the tasks."


def test_unknown_command_is_refused_with_the_nearest_name():
    done = joulebench("comapre")
    assert done.returncode == 2
    assert "No such command 'comapre'. Did you mean 'compare'?" in done.stderr


def test_option_after_a_command_belongs_to_the_command():
    done = joulebench("tasks", "-h")
    assert done.returncode == 0 and "Usage: joulebench tasks" in done.stdout


@pytest.mark.parametrize(
    "code",
    [
        MAIN.format(words=["--help"]),
        "import sys, bench",
        "import sys, bench.cli.track",
    ],
    ids=["--help", "import bench", "import bench.cli.track"],
)
def test_start_imports_no_large_library(code):
    done = subprocess.run(
        [sys.executable, "-c", code + REPORT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stderr.strip() == "", done.stderr


def test_named_command_alone_is_imported():
    code = MAIN.format(words=["tasks"]) + (
        "\nprint(*sorted(name for name in sys.modules if name.startswith('bench.cli.')"
        " and '._' not in name), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["bench.cli.tasks"]
