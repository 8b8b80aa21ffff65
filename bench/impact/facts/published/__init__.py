"""Published energy per 1,000 inferences, each figure with the study that measured it.

These are not this project's measurements. Boundary, precision, batch size and engine differ from
study to study, so every figure holds its `Study`. The studies are in `studies.toml`, the
figures of each in the csv file of its key.
"""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# Columns of the csv files that are numbers; an empty cell is None.
INTEGERS = ("gpu_count", "steps", "stars")
FLOATS = ("energy_kwh_per_1000", "gpu_energy_kwh_per_1000", "batch_size", "new_tokens")


@dataclass(frozen=True)
class Study:
    """A published study: its boundary, precision and engine, source, licence and caveat."""

    key: str
    title: str
    year: int
    boundary: str
    domains: tuple[str, ...]
    precision: str
    engine: str
    source: str
    source_url: str
    licence: str
    caveat: str


@dataclass(frozen=True)
class PublishedFigure:
    """One published figure: kWh for 1,000 inferences inside the boundary of its study.

    `gpu_energy_kwh_per_1000` is the part of the study's GPUs. None means not published.
    """

    study: Study
    task: str
    model: str
    model_class: str | None
    energy_kwh_per_1000: float
    gpu_energy_kwh_per_1000: float
    gpu: str
    gpu_count: int | None
    batch_size: float
    steps: int | None
    new_tokens: float | None
    workload: str | None
    stars: int | None

    @property
    def precision(self) -> str:
        """The precision of this figure, as far as its study states it."""
        if self.study.key == "ai-energy-score":
            return "float16" if self.task == "text-gen" else "float32"
        return self.study.precision


def _studies() -> tuple[Study, ...]:
    tables: dict[str, dict[str, Any]] = tomllib.loads(
        (FOLDER / "studies.toml").read_text(encoding="utf-8")
    )
    return tuple(
        Study(key=key, domains=tuple(fields.pop("domains")), **fields)
        for key, fields in tables.items()
    )


STUDIES = _studies()


def rows(task: str | None = None) -> tuple[PublishedFigure, ...]:
    """All published figures, or those of one task ("image-gen"), in the order of their tables."""
    figures = [figure for study in STUDIES for figure in _figures(study)]
    return tuple(figure for figure in figures if task is None or figure.task == task)


@lru_cache(maxsize=8)
def _figures(study: Study) -> tuple[PublishedFigure, ...]:
    with (FOLDER / f"{study.key}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_figure(study, cells) for cells in csv.DictReader(file))


def _figure(study: Study, cells: dict[str, str]) -> PublishedFigure:
    values: dict[str, Any] = {name: cell or None for name, cell in cells.items()}
    for kind, names in ((int, INTEGERS), (float, FLOATS)):
        values |= {name: kind(cells[name]) for name in names if cells[name]}
    return PublishedFigure(study=study, **values)
