"""`python -m tools.claims`: write docs/claims.md and its plots; `--check` lists stale files."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tools.claims import figures, page

DOCS = Path(__file__).parents[2] / "docs"


def write(folder: Path) -> list[Path]:
    """Write the page and its plots into a folder; returns their paths."""
    plots = [figures.save(name, folder) for name in figures.FIGURES]
    path = folder / "claims.md"
    path.write_text(page.text(), encoding="utf-8")
    return [*plots, path]


def stale() -> list[str]:
    """The names of the files in docs that differ from what `write` writes now."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = write(Path(folder))
        return [
            path.name
            for path in fresh
            if not (DOCS / path.name).is_file()
            or (DOCS / path.name).read_bytes() != path.read_bytes()
        ]


if __name__ == "__main__":
    if "--check" in sys.argv:
        names = stale()
        for name in names:
            print(f"docs/{name} is stale: run make generated", file=sys.stderr)
        sys.exit(bool(names))
    print("\n".join(f"wrote {path}" for path in write(DOCS)))
