"""One row of a table on the site: an array, as short as a page with a hundred thousand needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# Where a result stands among its equals comes first, then what `line` gives.
PLACE = ("n", "group", "rank", "tied", "grade", "stars")
FACTS = (
    "id",
    "model",
    "parameters",
    "dtype",
    "backend",
    "batch",
    "steps",
    "weights",
    "profile",
    "status",
    "kind",
    "dataset",
    "device",
    "boundary",
    "energy",
    "gain",
    "net",
    "joules",
    "seconds",
    "quality",
    "metric",
    "better",
    "created",
    "doubts",
    "barred",
    "why",
    "by",
)
FIELDS = (*PLACE, *FACTS)
TOLD = {"energy-modelled", "random-weights", "quick-run", "interrupted", "failed"}


def line(name: str, row: Mapping[str, Any]) -> str:
    """The facts of a row (`leaderboard.form.Facts`) as a JSON array, in the order of `FACTS`."""
    model, quality = row["model"], row["quality"]
    barring = [doubt["code"] for doubt in row["doubts"] if doubt["bars_ranking"]]
    values = (
        name,
        model["id"],
        model["parameter_count"],
        model["dtype"],
        row["backend"],
        row["batch_size"],
        row["steps"],
        model["weights"],
        row["profile"],
        row["status"],
        row["kind"],
        row["dataset"],
        ", ".join(row["devices"]),
        row["boundary"],
        _ends(row["energy_kwh_per_1000"]),
        row["gain_relative_half_width"],
        _ends(row["net_energy_kwh_per_1000"]),
        _ends(row["energy_joules_per_unit"]),
        _ends(row["duration_seconds_per_inference"]),
        _ends(quality),
        quality and quality["metric"],
        quality and quality["better"],
        row["created_at"][:10],
        len(row["doubts"]),
        [code for code in barring if code not in TOLD],
        row["why"][0][:300] if row["status"] == "failed" and row["why"] else None,
        row["submitted_by"]["name"],
    )
    return text(values)


def text(value: object) -> str:
    """JSON without spaces, in which no line of a script can end early."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def short(value: float) -> float:
    """A number with six digits: more than any figure on a page shows."""
    return float(f"{value:.6g}")


def _ends(found: Mapping[str, float] | None) -> list[float] | None:
    return None if found is None else [short(found[end]) for end in ("value", "low", "high")]
