"""An SSH key for tests of signatures."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def make_key(folder: Path) -> Path:
    """A new SSH key; the test is skipped where there is no ssh-keygen."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen on this machine")
    path = folder / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def allow_signer(folder: Path, key: Path) -> None:
    """Add the key to the allowed signers of a folder of submissions."""
    kind, public = key.with_name("key.pub").read_text().split()[:2]
    (folder / "allowed_signers").write_text(f"ada@example.org {kind} {public}\n")
