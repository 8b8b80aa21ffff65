"""The board as csv: one row a result, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from bench.leaderboard import form
from bench.results.escaping import csv_safe

PLACE = ("task", "rank", "tied", "grade", "stars")


INTERVALS = (
    "energy_kwh_per_1000",
    "net_energy_kwh_per_1000",
    "energy_joules_per_unit",
    "duration_seconds_per_inference",
    "quality",
)


TEXTS = ("kind", "boundary", "devices", "dataset", "model", "weights")


RUN = ("parameter_count", "dtype", "backend", "batch_size", "steps", "unit")


LAST = ("quality_metric", "phone_charges_per_1000", "created_at", "submission", "submitted_by")


COLUMNS = (
    *PLACE,
    *TEXTS,
    *RUN,
    *(f"{name}{end}" for name in INTERVALS for end in ("", "_low", "_high")),
    *LAST,
    "why_not_ranked",
)


def cells(unit: str, row: form.Facts) -> str:
    """A row of the csv, but for its place, which is known when all are there."""
    model, quality, charges = row["model"], row["quality"], row["phone_charges_per_1000"]
    values: list[object] = [
        *(row["kind"], row["boundary"], " | ".join(row["devices"]), row["dataset"]),
        *(model["id"], model["weights"]),
        *(model["parameter_count"], model["dtype"], row["backend"]),
        *(row["batch_size"], row["steps"], unit),
    ]
    for name in INTERVALS:
        found: Any = row[name]  # type: ignore[literal-required]
        values += [found and found[end] for end in ("value", "low", "high")]
    values += [quality and quality["metric"], charges and charges["value"], row["created_at"]]
    values += [row["submission"], row["submitted_by"]["name"], " ".join(row["why"])]
    return _written(values)


def joined(place: Iterable[object], rest: str) -> str:
    """A whole row: its place, then its `cells`."""
    return f"{_written(place)[:-1]},{rest}"


def _written(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([csv_safe(value) for value in values])
    return out.getvalue()


HEAD = _written(COLUMNS)
