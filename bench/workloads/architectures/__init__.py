"""Shipped configurations of well-known architectures, without weights, and their hub ids."""

from __future__ import annotations

import csv
from pathlib import Path

ARCHITECTURES = Path(__file__).parent


def architecture_names() -> list[str]:
    """The names of the shipped architectures, sorted."""
    return sorted(
        path.name
        for path in ARCHITECTURES.iterdir()
        if path.is_dir() and path.name != "__pycache__"
    )


def architecture_table() -> list[dict[str, str]]:
    """The rows of `published.csv`.

    Columns: `architecture`; `hub_ids` of models with this architecture, separated by spaces;
    `parameter_count` as published; its `source`.
    """
    with (ARCHITECTURES / "published.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def architecture_of(name: str) -> str | None:
    """The architecture of this name or hub id; None for any other name."""
    if name in architecture_names():
        return name
    ids = {row["architecture"]: row["hub_ids"].lower().split() for row in architecture_table()}
    return next((own for own, hub_ids in ids.items() if name.lower() in hub_ids), None)
