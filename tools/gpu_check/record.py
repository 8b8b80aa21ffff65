"""The JSON and the Markdown record of a check, named by GPU, driver and date."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.results.domains import is_gpu
from bench.results.machine_record import Machine
from bench.results.versions import __version__
from bench.system.clock import Clock

PACKAGES = ("torch", "transformers", "diffusers", "nvidia-ml-py", "numpy", "pydantic")


def head(part: str, described: Machine, clock: Clock) -> dict[str, Any]:
    """Machine, driver, versions and date of a record."""
    return {
        "part": part,
        "created_at": clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "joulebench_version": __version__,
        "python_version": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "machine": described.model_dump(mode="json", exclude={"sensors"}),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def write(record: Mapping[str, Any], page: str, out: Path) -> tuple[Path, Path]:
    """Write both files and return their paths. Raises ValueError where a figure is not finite."""
    devices = [d for d in record["machine"]["devices"] if d["used"]]
    gpus = [d for d in devices if is_gpu(d["domain"])] or devices
    gpu = re.sub(r"[^a-z0-9]+", "-", gpus[0]["name"].lower()).strip("-")
    driver = gpus[0]["driver_version"] or "no-driver"
    stem = f"gpu-check-{record['part']}-{gpu}-{driver}-{record['created_at'][:10]}"
    out.mkdir(parents=True, exist_ok=True)
    paths = out / f"{stem}.json", out / f"{stem}.md"
    text = json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False)
    paths[0].write_text(text + "\n", encoding="utf-8")
    paths[1].write_text(page, encoding="utf-8")
    return paths


def title(record: Mapping[str, Any]) -> list[str]:
    """The first lines of a Markdown record."""
    machine = record["machine"]
    lines = [f"# GPU check, {record['part']}: {record['created_at'][:10]}", ""]
    for device in machine["devices"]:
        if is_gpu(device["domain"]):
            limit = number(device["power_limit_watts"], "W")
            lines.append(
                f"- `{device['domain']}` {device['name']}, driver {device['driver_version']}, "
                f"power limit {limit} (default {number(device['default_power_limit_watts'], 'W')})"
            )
    packages = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    where = "in a container, " if machine["container"] else ""
    return [
        *lines,
        f"- {machine['cpu_name']}, {where}{machine['operating_system']}",
        f"- joulebench {record['joulebench_version']}, Python {record['python_version']}, "
        f"{packages}",
        "",
    ]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = [list(columns), ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines] + [""]


def number(value: float | None, unit: str = "", digits: int = 3) -> str:
    """A figure with its unit; a dash for None."""
    if value is None:
        return "–"
    return f"{value:.{digits}g} {unit}".strip() if abs(value) < 1000 else f"{value:.0f} {unit}"


def percent(value: float | None) -> str:
    """A share in per cent."""
    return "–" if value is None else f"{100 * value:.2f} %"


def ratio(interval: Mapping[str, float] | None) -> str:
    """A ratio with its 95 % interval."""
    if interval is None:
        return "–"
    return f"{interval['value']:.4f} ({interval['low']:.4f} to {interval['high']:.4f})"
