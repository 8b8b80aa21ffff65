"""The README shows what the program really prints."""

import re
from pathlib import Path

from rich.console import Console

from bench import report, store

ROOT = Path(__file__).parents[1]


def test_the_summary_in_the_readme_is_that_of_a_committed_result():
    """The block ends with a path to a submission; showing it again gives the same words."""
    block = re.search(
        r"<!-- summary of (\S+) -->\n\n((?:    .*\n|\n)+)", (ROOT / "README.md").read_text()
    )
    assert block, "README.md has no summary"
    console = Console(width=96, record=True, highlight=False, file=open("/dev/null", "w"))
    path = ROOT / block[1]
    report.show(store.load(path), Path(block[1]), console, "epa-current", "make board plots")
    shown = [line.rstrip() for line in console.export_text().splitlines()]
    stated = [line.strip("\n").removeprefix("    ").rstrip() for line in block[2].splitlines()]
    assert "\n".join(stated).strip() == "\n".join(shown).strip()
