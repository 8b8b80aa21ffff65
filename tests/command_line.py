"""Run `joulebench` as a process and return its output, its JSON lines or its error."""

from __future__ import annotations

import json
import subprocess
import sys


def joulebench(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command and assert its exit code."""
    command = [sys.executable, "-m", "bench", *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == code, process.stderr
    return process


def error_of(*arguments: str) -> str:
    """The one-sentence error of refused input; asserts that nothing else is printed."""
    process = joulebench(*arguments, code=2)
    assert process.stdout == "" and len(process.stderr.splitlines()) == 1, process.stderr
    assert process.stderr.startswith("joulebench: ") and "Traceback" not in process.stderr
    return process.stderr


def json_lines(*arguments: str) -> list[dict]:
    """The lines of JSON that a command prints."""
    return [json.loads(line) for line in joulebench(*arguments).stdout.splitlines()]
