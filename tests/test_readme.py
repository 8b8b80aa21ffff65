"""README.md: its summary is the printed one, and its links exist."""

import re
from pathlib import Path

from tools import readme

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_summary_is_that_of_a_committed_result():
    """If this fails: make generated."""
    assert readme.BLOCK.search(TEXT)
    assert readme.with_summary(TEXT) == TEXT


def test_linked_files_exist():
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / link).exists(), link
