"""Published energy per 1,000 inferences, each figure with the study that measured it.

These are not this project's measurements. Boundary, precision, batch size and engine differ from
study to study, so every figure holds its `Study`. The studies are in `studies.toml`, the
figures of each in the csv file of its key.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic.dataclasses import dataclass

from bench.impact.facts import read_rows

FOLDER = Path(__file__).parent


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


_TABLES: dict[str, Any] = tomllib.loads((FOLDER / "studies.toml").read_text(encoding="utf-8"))
STUDIES = tuple(Study(key=key, **fields) for key, fields in _TABLES.items())


def rows(task: str | None = None) -> tuple[PublishedFigure, ...]:
    """All published figures, or those of one task ("image-gen"), in the order of their tables."""
    figures = [figure for study in STUDIES for figure in _figures(study)]
    return tuple(figure for figure in figures if task is None or figure.task == task)


@lru_cache(maxsize=8)
def _figures(study: Study) -> tuple[PublishedFigure, ...]:
    """The figures of a study; an empty cell is None, and pydantic reads the numbers."""
    rows: list[dict[str, Any]] = [
        {name: cell or None for name, cell in row.items()}
        for row in read_rows(FOLDER / f"{study.key}.csv")
    ]
    return tuple(PublishedFigure(study=study, **row) for row in rows)
