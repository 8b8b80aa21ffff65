"""The battery part in Markdown: measured and published figures, and remarks on differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.gpu_check.record import number, table, title

LARGE_DIFFERENCE = 0.25  # relative; smaller ones are within what other prompts explain
COLUMNS = (
    "model",
    "task",
    "precision",
    "inferences",
    "windows",
    "s an inference",
    "GPU, kWh per 1,000",
    "published",
    "ratio",
    "remark",
)


def page(record: Mapping[str, Any]) -> str:
    """The Markdown page."""
    introduction = [
        f"Random weights, {record['dataset']}: prompts and texts differ from the "
        "published ones, and so do their lengths. Energy is of the GPU alone, idle included.",
        f"Published: {record['published_source']}.",
        "",
    ]
    rows = [_cells(row) for row in record["rows"]]
    skipped = [f"- {line}" for line in record["skipped"]]
    warnings = [f"- {line}" for row in record["rows"] for line in _warnings(row)]
    lines = [*title(record), *introduction, *table(COLUMNS, rows), *skipped, *warnings]
    return "\n".join(lines).rstrip() + "\n"


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["model"],
        row["task"],
        row["dtype"] or "–",
        str(row["inference_count"]),
        str(row["window_count"]),
        number(row["seconds_per_inference"], digits=4),
        number(row["gpu_kwh_per_1000"], digits=4),
        number(row["published_kwh_per_1000"], digits=4),
        number(row["ratio"]),
        remark(row),
    ]


def remark(row: Mapping[str, Any]) -> str:
    """A clause that a reader of the comparison needs."""
    result = row["result"]
    if result["status"] != "done":
        failure = result["failure"]
        return f"failed: {failure['message']}" if failure else "interrupted"
    if row["ratio"] is None:
        return "no GPU energy was read, so there is no comparison"
    clauses = [f"stopped by {result['stop_reason']}"] if row["inference_count"] < 30 else []
    if abs(row["ratio"] - 1) > LARGE_DIFFERENCE:
        more = "above" if row["ratio"] > 1 else "below"
        clauses.append(f"{100 * abs(row['ratio'] - 1):.0f} % {more} the published figure")
    return "; ".join(clauses) or "within 25 %"


def _warnings(row: Mapping[str, Any]) -> list[str]:
    expected = {"random-weights", "quality-missing"}
    return [
        f"{row['model']}: {warning['message']}"
        for warning in row["result"]["warnings"]
        if warning["code"] not in expected
    ]
