"""All readings of a run as csv: one row a reading, with the columns of its trial and run.

`csv_columns.csv` names the columns, and the field of a run, trial or reading that each contains.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import RunTotals, csv_bytes, totals_with_energy
from bench.results import views
from bench.results.record import Result

SUFFIX = ".csv"
COLUMNS = Path(__file__).with_name("csv_columns.csv")


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One row a reading, warm-up and idle included; trials with `trial_phase` "measured" count."""
    with COLUMNS.open(encoding="utf-8", newline="") as file:
        fields = {row["column"]: row["field"] for row in csv.DictReader(file)}
    rows = [
        {column: _value(values, field) for column, field in fields.items()}
        for totals in totals_with_energy(results)
        for values in _readings(totals)
    ]
    return csv_bytes(rows, [*fields])


def _readings(totals: RunTotals) -> Iterator[dict[str, object]]:
    """Each reading of a run with its trial, which is None at idle, and values made of several."""
    result = totals.result
    run = {
        "totals": totals,
        "result": result,
        "batch_size": views.int_setting(result.model.settings, "batch_size"),
        "devices": " | ".join(views.device_labels(result)),
        "boundary": " ".join(result.boundary.domains),
        "kind": f"modelled, NOT measured, {views.NOT_COUNTED}" if totals.modelled else "measured",
        "warnings": " ".join(item.code for item in result.warnings),
    }
    windows = [
        *((None, f"idle, {idle.when}", idle.readings) for idle in result.idle),
        *((trial, trial.phase, trial.readings) for trial in result.trials),
    ]
    for trial, phase, readings in windows:
        for reading in readings:
            codes = " ".join(item.code for item in reading.warnings)
            yield run | {
                "trial": trial,
                "phase": phase,
                "reading": reading,
                "reading_warnings": codes,
            }


def _value(values: Mapping[str, object], field: str) -> object:
    """The value of a field such as "trial.work.inference_count"; None where a part is None."""
    name, *attributes = field.split(".")
    value = values[name]
    for attribute in attributes:
        value = getattr(value, attribute) if value is not None else None
    return value
