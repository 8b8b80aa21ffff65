"""Identity of this machine and of its cards in a record, as hashes with a salt that stays here.

The salt is 32 random bytes in the user's configuration folder, made at first use and never
recorded. Results of one user on one machine can be recognised by the hashes; without the salt
nobody can compute them from a host name or a card's UUID.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

SALT_FILE = "machine-salt"
MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


def machine_salt() -> str | None:
    """The salt of this user on this machine, as 64 hex digits; None where it cannot be kept."""
    with suppress(OSError, RuntimeError):  # Path.home() raises RuntimeError without a home folder
        path = configuration_folder() / SALT_FILE
        if not path.exists():
            _create(path)
        text = path.read_text(encoding="ascii", errors="replace").strip()
        return text if re.fullmatch(r"[0-9a-f]{64}", text) else None
    return None


def machine_id() -> str | None:
    """First 16 hex digits of the SHA-256 of the salt, the system's machine id and the host name.

    The last two separate machines that share a home folder. None without a salt.
    """
    salt = machine_salt()
    if salt is None:
        return None
    parts = (salt, _system_machine_id(), platform.node())
    return hashlib.sha256(":".join(parts).encode()).hexdigest()[:16]


def configuration_folder() -> Path:
    """The folder of JouleBench's configuration: $XDG_CONFIG_HOME or ~/.config, then joulebench."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "joulebench"


def _create(path: Path) -> None:
    """Write a new salt, readable by its user alone; of two processes at once the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(32)}\n")
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def _system_machine_id() -> str:
    """The id that the operating system gives this installation; empty where it has none."""
    for name in MACHINE_ID_FILES:
        with suppress(OSError):
            return Path(name).read_text(encoding="ascii", errors="replace").strip()
    return ""
