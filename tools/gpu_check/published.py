"""The published figures of the battery's workloads, and the comparison with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.impact.facts.published import rows
from bench.results.record import Result
from bench.results.settings import Dtype
from bench.results.statistics import energy_joules
from bench.results.units import JOULES_PER_KWH

STUDY = "ai-energy-score"
SOURCE = "AI Energy Score leaderboard (Hugging Face), H100, GPU energy, 2025"


@dataclass(frozen=True)
class Entry:
    """A workload at its published settings, its share of the time, and its published energy."""

    task: str
    model: str
    dtype: Dtype
    share: float
    published_kwh_per_1000: float


def _published(task: str, model: str) -> float:
    """The leaderboard's GPU energy of a model, in kWh per 1,000 inferences."""
    figures = [row for row in rows(task) if row.study.key == STUDY and row.model == model]
    return figures[0].gpu_energy_kwh_per_1000


def _entry(task: str, model: str, dtype: Dtype, share: float, published_model: str) -> Entry:
    return Entry(task, model, dtype, share, _published(task, published_model))


ENTRIES = (
    _entry("text-gen", "gpt2", "float16", 0.09, "openai-community/gpt2"),
    _entry(
        "text-classification",
        "distilbert",
        "float32",
        0.08,
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
    ),
    _entry("image-classification", "resnet-50", "float32", 0.08, "microsoft/resnet-50"),
    _entry("image-classification", "vit-base", "float32", 0.08, "google/vit-base-patch16-224"),
    _entry("asr", "whisper-tiny", "float32", 0.09, "openai/whisper-tiny"),
    _entry("image-gen", "sd-2.1", "float32", 0.22, "stabilityai/stable-diffusion-2-1"),
    _entry("image-gen", "sdxl", "float32", 0.36, "stabilityai/stable-diffusion-xl-base-1.0"),
)


def select_entries(names: Sequence[str] | None) -> list[Entry]:
    """The entries of these models, all if None. Raises ValueError for an unknown one."""
    if names is None:
        return list(ENTRIES)
    known = {entry.model: entry for entry in ENTRIES}
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"the battery has no {missing[0]!r}: there are {', '.join(known)}")
    return [known[name] for name in names]


def compare(entry: Entry, gpu: str | None, result: Result) -> dict[str, Any]:
    """The energy of the GPU alone, and its ratio to the published figure of the GPU."""
    trials = result.measured()
    count = sum(trial.work.inference_count for trial in trials)
    joules = [energy_joules(trial, (gpu,)) for trial in trials] if gpu else []
    known = [value for value in joules if value is not None]
    complete = bool(known) and len(known) == len(trials) and count > 0
    kwh = 1000 * math.fsum(known) / count / JOULES_PER_KWH if complete else None
    seconds = math.fsum(trial.duration_seconds for trial in trials)
    return {
        "model": entry.model,
        "task": entry.task,
        "dtype": result.model.dtype,
        "inference_count": count,
        "window_count": len(trials),
        "seconds_per_inference": seconds / count if count else None,
        "gpu_kwh_per_1000": kwh,
        "published_kwh_per_1000": entry.published_kwh_per_1000,
        "ratio": kwh / entry.published_kwh_per_1000 if kwh is not None else None,
        "result": result.model_dump(mode="json"),
    }
