"""The README shows what the program really prints, and its links lead somewhere."""

import re
from pathlib import Path

from tools import readme

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_summary_is_that_of_a_committed_result():
    """If this fails: make generated."""
    assert readme.BLOCK.search(TEXT)
    assert readme.written(TEXT) == TEXT


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / link).exists(), link
