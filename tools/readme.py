"""Writes the summary in README.md again from the submission that its marker names."""

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


def written(text: str) -> str:
    """The README with its summary as the program prints it now."""
    return BLOCK.sub(lambda found: _block(found[1]), text)


def _block(name: str) -> str:
    console = Console(width=WIDTH, file=io.StringIO(), record=True, highlight=False)
    shown = Path("results/runs/image-gen") / "20261122T064622Z-….json"
    follow = f"make submit RESULT={shown} && make board plots"
    terminal.print_result(storage.load_result(ROOT / name), shown, console, "epa-current", follow)
    lines = [f"    {line}".rstrip() for line in console.export_text().splitlines()]
    body = "\n".join(lines).strip("\n")
    return f"<!-- summary of {name} -->\n\n{body}\n\n<!-- end of summary -->"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    fresh = written(readme.read_text(encoding="utf-8"))
    if "--check" in sys.argv:
        sys.exit(fresh != readme.read_text(encoding="utf-8"))
    readme.write_text(fresh, encoding="utf-8")
