"""The plug-ins that git tracks, without those that a newcomer has dropped in."""

import subprocess
from pathlib import Path

import pytest

from bench.system import registry

ROOT = Path(__file__).parents[1]


def shipped_names(kind):
    """The names of a kind whose files git tracks, sorted. Skips the test outside a checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("shipped plug-ins are known only in a git checkout")
    folder = registry.PACKAGES[kind].replace(".", "/")
    listed = subprocess.run(
        ["git", "ls-files", f"{folder}/*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    stems = [Path(line).stem for line in listed.stdout.splitlines()]
    return sorted(stem.replace("_", "-") for stem in stems if not stem.startswith("_"))
