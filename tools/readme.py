"""Write the summary in README.md from the submission that its marker names.

With `--check` nothing is written; the exit code is 1 where the summary is not current.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from bench.reports import terminal
from bench.results import storage

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"<!-- summary of (\S+) -->\n.*?<!-- end of summary -->", re.DOTALL)
WIDTH = 94


def with_summary(text: str) -> str:
    """The text of the README with the summary as `joulebench show` prints it."""
    return BLOCK.sub(lambda match: _block(match[1]), text)


def _block(name: str) -> str:
    console = Console(width=WIDTH, file=io.StringIO(), record=True, highlight=False)
    path = Path("results/runs/image-gen") / "20261122T064622Z-….json"
    next_step = f"make submit RESULT={path} && make board plots"
    result = storage.load_result(ROOT / name)
    terminal.print_result(result, path, console, "epa-current", next_step)
    lines = [f"    {line}".rstrip() for line in console.export_text().splitlines()]
    body = "\n".join(lines).strip("\n")
    return f"<!-- summary of {name} -->\n\n{body}\n\n<!-- end of summary -->"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    fresh = with_summary(readme.read_text(encoding="utf-8"))
    if "--check" in sys.argv:
        sys.exit(fresh != readme.read_text(encoding="utf-8"))
    readme.write_text(fresh, encoding="utf-8")
