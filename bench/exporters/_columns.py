"""The columns of CodeCarbon's emissions.csv: of version 3, and of those before it."""

from __future__ import annotations

import csv
from pathlib import Path

_OLD = (
    "timestamp project_name run_id duration emissions emissions_rate cpu_power gpu_power ram_power "
    "cpu_energy gpu_energy ram_energy energy_consumed country_name country_iso_code region "
    "cloud_provider cloud_region os python_version codecarbon_version cpu_count cpu_model "
    "gpu_count gpu_model longitude latitude ram_total_size tracking_mode on_cloud pue"
)
_NEW = (
    "timestamp project_name run_id experiment_id duration emissions emissions_rate cpu_power "
    "gpu_power ram_power cpu_energy gpu_energy ram_energy energy_consumed water_consumed "
    "country_name country_iso_code region cloud_provider cloud_region os python_version "
    "codecarbon_version cpu_count cpu_model gpu_count gpu_model longitude latitude ram_total_size "
    "tracking_mode cpu_utilization_percent gpu_utilization_percent ram_utilization_percent "
    "ram_used_gb on_cloud pue wue"
)
OLD_COLUMNS, COLUMNS = tuple(_OLD.split()), tuple(_NEW.split())
# CodeCarbon 2.4 to 2.8 had the old columns and this one.
KNOWN = ({*OLD_COLUMNS}, {*OLD_COLUMNS, "experiment_id"}, {*COLUMNS})


def refuse_others(path: Path) -> list[str]:
    """The columns of a file that a row may be added to, in its order; empty where there is none.

    Raises ValueError where they are not the 38 of CodeCarbon 3, or it is no csv file.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} can't be read as csv: {error}") from None
    if head and {*head} != {*COLUMNS}:
        raise ValueError(f"{path} has other columns than CodeCarbon 3's 38; name another file")
    return head
