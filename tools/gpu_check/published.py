"""The published figures that the battery is held against, and the comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.records import Result
from bench.stats import energy_joules
from bench.units import JOULES_PER_KWH

SOURCE = "AI Energy Score leaderboard (Hugging Face), H100, GPU energy, 2025"


@dataclass(frozen=True)
class Entry:
    """One workload, its share of the time, and the published kWh per 1,000 inferences."""

    task: str
    model: str
    dtype: str
    share: float
    published_kwh_per_1000: float


ENTRIES = (
    Entry("text-gen", "gpt2", "float16", 0.13, 0.00215),
    Entry("text-classification", "distilbert", "float32", 0.12, 0.000218),
    Entry("image-gen", "sd-2.1", "float32", 0.27, 0.534),
    Entry("image-gen", "sdxl", "float32", 0.48, 1.64),
)


def chosen(names: Sequence[str] | None) -> list[Entry]:
    """The entries of these models, all if None. Raises ValueError for an unknown one."""
    if names is None:
        return list(ENTRIES)
    known = {entry.model: entry for entry in ENTRIES}
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"the battery has no {missing[0]!r}: there are {', '.join(known)}")
    return [known[name] for name in names]


def compared(entry: Entry, gpu: str | None, result: Result) -> dict[str, Any]:
    """The GPU's own energy beside the published figure, which is the GPU's too."""
    trials = result.measured()
    count = sum(trial.work.inference_count for trial in trials)
    joules = [energy_joules(trial, (gpu,)) for trial in trials] if gpu else []
    known = [value for value in joules if value is not None]
    whole = bool(known) and len(known) == len(trials) and count > 0
    kwh = 1000 * math.fsum(known) / count / JOULES_PER_KWH if whole else None
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
