"""CodeCarbon's emissions.csv: rows of version 3 are written, files of version 2 and 3 are read.

CodeCarbon has no column for an interval: `codecarbon_version`, which names the tool, has the range
of `energy_consumed` behind the version.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from bench.impact import facts, regions, water
from bench.impact.facts import FactRange
from bench.impact.regions import Region
from bench.reports.exporters import EnergyKind, ExportOptions, ImportedEnergy
from bench.reports.exporters._common import (
    COMPONENTS,
    NOT_MEASURED,
    csv_bytes,
    totals_with_energy,
)
from bench.results import statistics
from bench.results.domains import by_kind
from bench.results.interval import Interval
from bench.results.machine_record import Machine
from bench.results.record import Result
from bench.results.units import SECONDS_PER_HOUR
from bench.results.views import NOT_COUNTED
from bench.tracker.program_record import ProgramRecord

SUFFIX = ".csv"
COLUMNS_FILE = Path(__file__).with_name("codecarbon_columns.csv")
with COLUMNS_FILE.open(encoding="utf-8", newline="") as _file:
    _SINCE = {cells["column"]: cells["since"] for cells in csv.DictReader(_file)}
# The columns of CodeCarbon 3, and those of 2.0 to 2.3; 2.4 to 2.8 had `experiment_id` too.
COLUMNS = tuple(_SINCE)
OLD_COLUMNS = tuple(column for column, since in _SINCE.items() if since == "2.0")
KNOWN_COLUMNS = ({*OLD_COLUMNS}, {*OLD_COLUMNS, "experiment_id"}, {*COLUMNS})
BYTES_PER_GIB = 2**30
RANGE = re.compile(r"; energy_consumed (\S+) to (\S+) kWh$")


def row(
    timestamp: str,
    project_name: str,
    run_id: str,
    duration_seconds: float,
    energy_kwh: float | None,
    component_kwh: Mapping[str, float | None],
    *,
    energy_range_kwh: Interval | None = None,
    modelled: bool = False,
    version: str = "",
    experiment_id: str = "",
    region: Region | None = None,
    pue: float = 1.0,
    machine: Machine | None = None,
) -> dict[str, object]:
    """The 38 cells of one job, by column; the cell of a value that is None stays empty.

    Energies are in kWh of the machine, `energy_range_kwh` with calibration uncertainty; as in
    CodeCarbon's files, the row has them times `pue`. Water is that on site, by `water.litres`: of
    the energy without PUE. Emissions are empty without a region.
    """
    energy = _times(energy_kwh, pue)
    wue = region.wue if region else None
    factor = region.factor() if region else None
    emissions_kg = _times(energy, factor.value / 1000 if factor else None)
    cells: dict[str, object | None] = {
        "timestamp": timestamp,
        "project_name": project_name + (f" ({NOT_MEASURED}, {NOT_COUNTED})" if modelled else ""),
        "run_id": run_id,
        "experiment_id": experiment_id,
        "duration": duration_seconds,
        "emissions": emissions_kg,
        "emissions_rate": _rate(emissions_kg, duration_seconds),
        "energy_consumed": energy,
        "water_consumed": _litres(energy_kwh, wue),
        "codecarbon_version": f"JouleBench {version}".strip() + _range_text(energy_range_kwh, pue),
        "tracking_mode": "machine",
        "pue": pue,
        "wue": wue.value if wue else None,
    }
    for part in COMPONENTS.values():
        kwh = component_kwh.get(part)
        cells[f"{part}_energy"] = _times(kwh, pue)
        watts = _rate(_times(kwh, 1000.0 * SECONDS_PER_HOUR), duration_seconds)
        cells[f"{part}_power"] = _times(watts, pue)
    cells |= _machine(machine) | _place(region)
    return {column: cells.get(column) for column in COLUMNS}


def append(path: Path, added: dict[str, object]) -> None:
    """Add a row to a new or an existing file, under a lock: several programs may append at once.

    Raises ValueError, and leaves the file as it is, where its columns are not the 38.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(_lock(path)):
        old = path.read_bytes() if path.is_file() else b""
        body = csv_bytes([added], existing_columns(path) or COLUMNS)
        if old:
            body = body.split(b"\n", 1)[1]
        with path.open("ab") as file:
            file.write(b"\n" * (bool(old) and not old.endswith(b"\n")) + body)


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One row a result, over its measured trials."""
    rows = [
        row(
            timestamp=totals.result.created_at.removesuffix("Z"),
            project_name=totals.label,
            run_id=totals.result.run_id,
            duration_seconds=totals.duration_seconds,
            energy_kwh=totals.energy_kwh,
            component_kwh=totals.component_kwh,
            energy_range_kwh=totals.energy_range_kwh,
            modelled=totals.modelled,
            version=totals.result.joulebench_version,
            experiment_id=totals.result.task.fingerprint or "",
            pue=options.pue or 1.0,
            region=options.region,
            machine=totals.result.machine,
        )
        for totals in totals_with_energy(results)
    ]
    return csv_bytes(rows, COLUMNS)


def read(data: bytes) -> list[ImportedEnergy]:
    """The rows of a file that CodeCarbon (any version) or this exporter wrote.

    Raises ValueError for other columns, or where a cell that should hold a number does not.
    """
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
        columns = {*(reader.fieldnames or ())}
        if columns not in KNOWN_COLUMNS:
            raise ValueError(f"not CodeCarbon's columns: {_difference(columns)}")
        return [_imported(cells, number) for number, cells in enumerate(reader, start=2)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"not a csv file: {error}") from error


def append_program(record: ProgramRecord, path: str | Path) -> None:
    """Add the row of a tracked program. Raises ValueError for other columns, and OSError.

    Only domains inside the boundary count.
    """
    energy = record.energy_kwh
    domains = by_kind(record.boundary.domains)
    added = row(
        timestamp=record.created_at.removesuffix("Z"),
        project_name=record.name,
        run_id=record.track_id,
        duration_seconds=record.duration_seconds,
        energy_kwh=energy.value if energy else None,
        component_kwh={
            name: statistics.total_kwh([record], domains.get(kind, ()))
            for kind, name in COMPONENTS.items()
        },
        energy_range_kwh=record.nonnegative_kwh,
        modelled=record.boundary.kind == "modelled",
        version=record.joulebench_version,
        pue=record.pue or 1.0,
        region=regions.find(record.region) if record.region else None,
        machine=record.machine,
    )
    append(Path(path), added)


def existing_columns(path: Path) -> list[str]:
    """The columns of an existing file in their order; empty where there is no file.

    Raises ValueError where they are not the 38 of CodeCarbon 3, or the file is not csv.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as csv: {error}") from None
    if head and {*head} != {*COLUMNS}:
        raise ValueError(f"{path} has other columns than CodeCarbon 3's 38; name another file")
    return head


def _lock(path: Path) -> str:
    """The lock file of a csv file, in the folder for temporary files."""
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    return f"{tempfile.gettempdir()}/joulebench-{name}.lock"


def _machine(machine: Machine | None) -> dict[str, object | None]:
    if machine is None:
        return {}
    gpus = [device.name for device in machine.used_gpus]
    return {
        "os": machine.operating_system,
        "python_version": machine.python_version,
        "cpu_count": machine.cpu_logical_count,
        "cpu_model": machine.cpu_name,
        "gpu_count": len(gpus),
        "gpu_model": f"{len(gpus)} x {' / '.join(dict.fromkeys(gpus))}" if gpus else "",
        "ram_total_size": machine.memory_bytes / BYTES_PER_GIB,
    }


def _place(region: Region | None) -> dict[str, object | None]:
    if region is None:
        return {}
    country = facts.table("grid").get(region.places[-1])
    iso3 = country.note.partition("iso3 ")[2][:3] if country else ""
    state = next((facts.grids()[p].label for p in region.places if "-" in p and ":" not in p), "")
    provider, _, cloud = region.key.partition(":")
    return {
        "country_name": country.label if country else region.label,
        "country_iso_code": iso3,
        "region": state.lower(),
        "cloud_provider": provider if cloud else "",
        "cloud_region": cloud,
        "on_cloud": "Y" if cloud else "N",
    }


def _imported(cells: dict[str, str], number: int) -> ImportedEnergy:
    if None in cells or None in cells.values():
        raise ValueError(f"line {number} has not as many cells as the header")
    kind: EnergyKind = "modelled" if NOT_MEASURED in cells["project_name"] else "measured"
    note = ""
    if not cells["codecarbon_version"].startswith("JouleBench"):
        kind = "unknown"
        note = "CodeCarbon does not state which parts it measured; a 0 may be a failed reading"
    numbers = [cells[name] for name in ("energy_consumed", "duration", "pue")]
    try:
        energy, duration, pue = (float(text) if text else None for text in numbers)
    except ValueError:
        raise ValueError(f"line {number}: a cell that should hold a number does not") from None
    if pue not in (None, 1.0):
        note = "; ".join(filter(None, [note, f"includes a PUE of {pue:g}"]))
    label = cells["project_name"].partition(f" ({NOT_MEASURED}")[0]
    try:
        low, high = _range(cells["codecarbon_version"])
        return ImportedEnergy(label, energy, duration, kind, note, low, high)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def _litres(energy_kwh: float | None, wue: FactRange | None) -> float | None:
    return None if energy_kwh is None or wue is None else water.litres(energy_kwh, wue).value


def _range_text(energy: Interval | None, pue: float) -> str:
    if energy is None:
        return ""
    return f"; energy_consumed {energy.low * pue:.6g} to {energy.high * pue:.6g} kWh"


def _range(version: str) -> tuple[float | None, float | None]:
    """The range of `energy_consumed` behind the version of JouleBench; None where it has none."""
    match = RANGE.search(version) if version.startswith("JouleBench") else None
    return (float(match[1]), float(match[2])) if match else (None, None)


def _difference(columns: set[str]) -> str:
    missing, more = sorted({*OLD_COLUMNS} - columns), sorted(columns - {*COLUMNS})
    parts = [f"no {', '.join(missing[:3])}"] * bool(missing) + [f"{m!r} is new" for m in more[:2]]
    return "; ".join(parts) or f"{len(columns)} columns, known are 31, 32 and 38"


def _times(value: float | None, factor: float | None) -> float | None:
    return None if value is None or factor is None else value * factor


def _rate(value: float | None, seconds: float) -> float | None:
    return value / seconds if value is not None and seconds > 0 else None
