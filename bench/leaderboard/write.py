"""The board as files: json, csv, md and the page; the same board gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench import pages, store
from bench.footprint import carbon, equivalences
from bench.footprint.quantity import Quantity
from bench.leaderboard.check import content_id
from bench.leaderboard.facets import (
    boundary_words,
    devices_words,
    energy,
    gain_of,
    is_modelled,
    setting,
    whole,
)
from bench.leaderboard.markdown import markdown
from bench.leaderboard.rank import Board, Group, Row, TaskBoard
from bench.records import Estimate, Record, Result

SCHEMA_VERSION = 1
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write(board: Board, results_dir: Path) -> tuple[Path, ...]:
    """Write leaderboard.json, .csv, .md and site/index.html under a results folder."""
    content = document(board)
    texts = {
        "leaderboard.json": json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False),
        "leaderboard.csv": table(content),
        "leaderboard.md": markdown(content),
        "site/index.html": pages.index(content),
    }
    for name, text in texts.items():
        store.write_text(results_dir / name, text)
    return tuple(results_dir / name for name in texts)


def document(board: Board) -> dict[str, Any]:
    """The board as plain JSON values, everything that its other forms show."""
    charge = equivalences.phone_charge()
    return {
        "schema_version": SCHEMA_VERSION,
        "phone_charge": {"kwh": charge.value, "edition": charge.edition, "source": charge.source},
        "grids": {
            key: {
                "label": fact.label,
                "grams_per_kwh": fact.value,
                "year": fact.edition,
                "basis": fact.basis,
                "source": fact.source,
                "licence": fact.licence,
            }
            for key, fact in ((key, carbon.grid(key)) for key in carbon.SHOWN)
        },
        "tasks": [_task(task) for task in board.tasks],
    }


def table(content: dict[str, Any]) -> str:
    """The board as csv, one row a result; no cell begins as a spreadsheet's formula would."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number, (task, row) in enumerate(_rows(content)):
        cells = {
            "task": task["id"],
            "rank": row["rank"],
            "tied": row["tied"],
            "kind": row["kind"],
            "boundary": row["boundary"],
            "devices": " | ".join(row["devices"]),
            "model": row["model"]["id"],
            "parameter_count": row["model"]["parameter_count"],
            "dtype": row["model"]["dtype"],
            "backend": row["backend"],
            "batch_size": row["batch_size"],
            "steps": row["steps"],
            **_cells(row, "energy_kwh_per_1000"),
            **_cells(row, "net_energy_kwh_per_1000"),
            **_cells(row, "energy_joules_per_unit"),
            "unit": task["unit"],
            **_cells(row, "duration_seconds_per_inference"),
            **_cells(row, "quality"),
            "created_at": row["created_at"],
            "submission": row["submission"],
            "why_not_ranked": " ".join(row["why"]),
        }
        if number == 0:
            writer.writerow(cells)
        writer.writerow([neutral(cell) for cell in cells.values()])
    return out.getvalue()


def neutral(cell: object) -> object:
    """A cell that a spreadsheet shows and does not run: text that could be a formula is quoted."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return "" if cell is None else cell


def _rows(content: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [
        (task, row)
        for task in content["tasks"]
        for rows in (*(group["rows"] for group in task["groups"]), task["listed"])
        for row in rows
    ]


def _cells(row: dict[str, Any], name: str) -> dict[str, object]:
    found = row[name] or {"value": None, "low": None, "high": None}
    return {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}


def _task(task: TaskBoard) -> dict[str, Any]:
    return {
        "id": task.task_id,
        "unit": task.unit,
        "groups": [_group(group) for group in task.groups],
        "listed": [_row(row) for row in task.listed],
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "boundary": group.boundary,
        "devices": list(group.devices),
        "dataset": group.dataset,
        "fingerprint": group.fingerprint,
        "rows": [_row(row) for row in group.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    result, found = row.result, energy(row.result)
    summary = result.summary
    model = result.model
    return {
        "rank": row.rank,
        "tied": row.tied,
        "stars": row.stars,
        "why": list(row.why),
        "run_id": result.run_id,
        "submission": f"{result.task.id}/{content_id(result)}.json",
        "created_at": result.created_at,
        "status": result.status,
        "profile": result.profile,
        "dataset": result.task.dataset,
        "model": {
            "id": model.id,
            "revision": model.revision,
            "weights": model.weights,
            "dtype": model.dtype,
            "parameter_count": model.parameter_count,
        },
        "backend": result.backend.name,
        "batch_size": setting(model.settings, "batch_size"),
        "steps": setting(result.task.parameters, "steps"),
        "kind": "modelled" if is_modelled(result) else "measured",
        "boundary": boundary_words(result),
        "devices": list(devices_words(result)),
        "energy_kwh_per_1000": _plain(found),
        "energy_with_gain_kwh_per_1000": found and _whole(found, result),
        "net_energy_kwh_per_1000": _plain(summary and summary.net_energy_kwh_per_1000),
        "energy_joules_per_unit": _plain(summary and summary.energy_joules_per_unit),
        "duration_seconds_per_inference": _plain(
            summary and summary.duration_seconds_per_inference
        ),
        "gain_relative_half_width": result.gain.relative_half_width if result.gain else None,
        "quality": _plain(result.quality),
        "phone_charges_per_1000": found and _derived(found, result, equivalences.phone_charges),
        "grams_co2e_per_1000": found
        and {
            key: _derived(found, result, partial(carbon.grams, grid_key=key))
            for key in carbon.SHOWN
        },
        "doubts": [_plain(item) for item in row.doubts],
    }


def _whole(found: Estimate, result: Result) -> dict[str, float]:
    low, high = whole(found, gain_of(result))
    return {"low": low, "high": high}


def _plain(record: Record | Estimate | None) -> dict[str, Any] | None:
    return None if record is None else record.model_dump(mode="json")


def _derived(
    found: Estimate, result: Result, turn: Callable[[Estimate], Quantity]
) -> dict[str, Any]:
    """What an energy turns into, with its interval, and with the scale error in it as well."""
    quantity, whole = turn(found), turn(found.model_copy(update=_whole(found, result)))
    return {
        "value": quantity.value,
        "low": quantity.low,
        "high": quantity.high,
        "low_with_gain": whole.low,
        "high_with_gain": whole.high,
        "edition": quantity.edition,
        "basis": quantity.basis,
    }
