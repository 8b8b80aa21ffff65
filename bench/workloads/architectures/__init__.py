"""Configurations that ship, with `published.csv`; the table of hub ids."""

from __future__ import annotations

import csv
from pathlib import Path

ARCHITECTURES = Path(__file__).parent


def architecture_names() -> list[str]:
    """The architectures that ship as configurations, without weights."""
    return sorted(
        path.name
        for path in ARCHITECTURES.iterdir()
        if path.is_dir() and path.name != "__pycache__"
    )


def architecture_table() -> list[dict[str, str]]:
    """The table of architectures: `architecture`, `hub_ids` of the same shape with spaces between,
    `parameter_count` as published, and its `source`."""
    with (ARCHITECTURES / "published.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _named(name: str) -> str | None:
    """The architecture of this name, or the one that a hub id has."""
    if name in architecture_names():
        return name
    ids = {row["architecture"]: row["hub_ids"].lower().split() for row in architecture_table()}
    return next((architecture for architecture, of in ids.items() if name.lower() in of), None)
