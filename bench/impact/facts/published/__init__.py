"""Energy per 1,000 inferences that other people measured and published, and how they measured it.

These are not this project's measurements: boundary, precision, batch size and engine differ from
study to study, so a figure goes nowhere without the `Study` that it comes from.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Study:
    """Where a table of figures comes from, and what all its rows share."""

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
    """One published figure: kWh for 1,000 inferences over the boundary of its study.

    `gpu_energy_kwh_per_1000` is the part of the study's GPUs alone. None: not published.
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
        """The precision of this figure, as far as its study says."""
        if self.study.key == "ai-energy-score":
            return "float16" if self.task == "text-gen" else "float32"
        return self.study.precision


STUDIES = (
    Study(
        key="ai-energy-score",
        title="AI Energy Score leaderboard, February 2025",
        year=2025,
        boundary="the GPU alone, by CodeCarbon through optimum-benchmark",
        domains=("gpu",),
        precision="float32; float16 for text generation",
        engine="transformers or diffusers, through optimum-benchmark",
        source="AI Energy Score leaderboard, Hugging Face and Salesforce, 2025",
        source_url="https://huggingface.co/spaces/AIEnergyScore/Leaderboard",
        licence="individual figures, cited",
        caveat="No interval is published. Text generation of class C took several H100s.",
    ),
    Study(
        key="power-hungry",
        title="Power Hungry Processing, 2023",
        year=2023,
        boundary="all eight GPUs of the node, seven of them idle, a modelled 430.8 W of RAM and "
        "42.5 W of CPU",
        domains=("gpu", "cpu-package (modelled)", "dram (modelled)"),
        precision="as each model was published, mostly float32",
        engine="transformers or diffusers pipelines",
        source="Luccioni, Jernite and Strubell, FAccT 2024, arXiv 2311.16863; means recomputed "
        "from the study's raw logs",
        source_url="https://arxiv.org/abs/2311.16863",
        licence="MIT (the study's logs)",
        caveat="Seven of the eight GPUs that are billed were idle, and the memory was not "
        "measured.",
    ),
    Study(
        key="ml-energy-v2",
        title="ML.ENERGY leaderboard v2, 2024",
        year=2024,
        boundary="the GPUs that served the model, by Zeus",
        domains=("gpu",),
        precision="as each model was published, mostly float16 or bfloat16",
        engine="vLLM for text, diffusers for images and video",
        source="ML.ENERGY leaderboard, data of version 2",
        source_url="https://ml.energy/leaderboard",
        licence="Apache-2.0",
        caveat="Served with continuous batching: the batch size of text is an average over time, "
        "and answers are whole ones, not 10 tokens.",
    ),
)


def rows(task: str | None = None) -> tuple[PublishedFigure, ...]:
    """Every published figure, or those of one task ("image-gen"), in the order of their tables."""
    found = [row for study in STUDIES for row in _table(study)]
    return tuple(row for row in found if task is None or row.task == task)


@lru_cache(maxsize=8)
def _table(study: Study) -> tuple[PublishedFigure, ...]:
    with (HERE / f"{study.key}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_row(study, cells) for cells in csv.DictReader(file))


def _row(study: Study, cells: dict[str, str]) -> PublishedFigure:
    return PublishedFigure(
        study=study,
        task=cells["task"],
        model=cells["model"],
        model_class=cells["model_class"] or None,
        energy_kwh_per_1000=float(cells["energy_kwh_per_1000"]),
        gpu_energy_kwh_per_1000=float(cells["gpu_energy_kwh_per_1000"]),
        gpu=cells["gpu"],
        gpu_count=int(cells["gpu_count"]) if cells["gpu_count"] else None,
        batch_size=float(cells["batch_size"]),
        steps=int(cells["steps"]) if cells["steps"] else None,
        new_tokens=float(cells["new_tokens"]) if cells["new_tokens"] else None,
        workload=cells["workload"] or None,
        stars=int(cells["stars"]) if cells["stars"] else None,
    )
