"""A result at scale: what a service of it takes, what batches may save, and training against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.footprint import scale, studies
from bench.footprint.breakeven import Amortised, amortised, break_even
from bench.footprint.intensity import Intensity, intensity
from bench.footprint.measured import Inference, inference
from bench.footprint.scale import Batching, Scaled
from bench.results.interval import Interval, as_interval, interval_json
from bench.results.record import Result


@dataclass(frozen=True)
class Asked:
    """What a result does not say: how often, how long, where, and after which training."""

    per_day: float
    days: float = 365.0
    region: str | None = None
    pue: float | None = None
    training: str | None = None


@dataclass(frozen=True)
class Training:
    """A training by its energy in kWh, and where that figure comes from."""

    name: str
    energy_kwh: Interval
    source: str


@dataclass(frozen=True)
class Against(Training):
    """A training against a use: after how many they are even, in how many days, and the share."""

    break_even: Interval
    days: Interval
    amortised: Amortised


@dataclass(frozen=True)
class Answer:
    """All that `joulebench scale` says, with the caveats to print beside it."""

    name: str
    one: Inference
    scaled: Scaled
    grid: Intensity
    machine: str
    batching: list[Batching]
    training: Against | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON; an end that nothing bounds is null."""
        found, against = self.scaled, self.training
        spans = ("kwh_per_day", "kwh_per_year", "grams_per_day", "grams_per_year", "homes")
        figures = {
            name: interval_json(getattr(found, name)) for name in (*spans, "reactors", "machines")
        }
        return {
            "kind": "modelled" if self.one.modelled else "measured",
            "name": self.name,
            "per_day": found.per_day,
            "kwh_per_inference": interval_json(self.one.energy_kwh),
            "grid": {
                "gco2e_per_kwh": interval_json(self.grid.grams_per_kwh),
                "label": self.grid.label,
                "basis": self.grid.basis,
            },
            **figures,
            "machine": self.machine,
            "batching": [
                {"kwh_per_day": interval_json(row.kwh_per_day), "words": row.words}
                for row in self.batching
            ],
            "training": against
            and {
                "name": against.name,
                "source": against.source,
                "energy_kwh": interval_json(against.energy_kwh),
                "break_even": interval_json(against.break_even),
                "break_even_days": interval_json(against.days),
                "uses": against.amortised.uses,
                "training_kwh_per_use": interval_json(against.amortised.training_kwh),
                "training_share": against.amortised.training_share,
            },
            "caveats": self.notes,
        }


def of(result: Result, asked: Asked) -> Answer:
    """A result at scale. Raises ValueError for what is unknown, not there, or can't be."""
    if not 0 < asked.days < float("inf"):
        raise ValueError(f"days must be above zero, not {asked.days:g}")
    if asked.pue is not None and not 1 <= asked.pue < 10:
        raise ValueError(f"a PUE is 1 or more, not {asked.pue:g}")
    one, grid = inference(result), intensity(asked.region)
    use = one.energy_kwh * (asked.pue or 1.0)
    seconds = None if one.seconds is None else one.seconds * one.devices
    return Answer(
        name=f"{result.task.id} · {result.model.id}",
        one=one,
        scaled=scale.of(use, asked.per_day, grid, seconds),
        grid=grid,
        machine=one.board or f"this machine ({result.machine.cpu_name})",
        batching=scale.batching(result, use, asked.per_day, asked.pue),
        training=None if asked.training is None else _against(asked, use),
        notes=tuple(_notes(one, asked)),
    )


def training(name: str) -> Training:
    """A published run by its key, or a number of kWh. Raises ValueError if it is neither."""
    try:
        kwh = float(name)
    except ValueError:
        fact = studies.energy(name)
        return Training(fact.label, as_interval(fact.value), f"{fact.source}; {fact.basis}")
    if not 0 < kwh < float("inf"):
        raise ValueError(f"the energy of a training must be above zero, not {kwh:g} kWh")
    return Training("training", as_interval(kwh), "as given")


def _against(asked: Asked, use: Interval) -> Against:
    found = training(asked.training or "")
    even = break_even(found.energy_kwh, use)
    return Against(
        name=found.name,
        energy_kwh=found.energy_kwh,
        source=found.source,
        break_even=even,
        days=even / asked.per_day,
        amortised=amortised(found.energy_kwh, use, asked.per_day * asked.days),
    )


def _notes(one: Inference, asked: Asked) -> Iterator[str]:
    yield f"Boundary: {one.boundary}. What stands around it takes energy that is not in it."
    if one.modelled:
        yield "The energy is modelled: low and high hold what the model may be off by."
    yield (
        "One machine, one kind of request, extrapolated: a service has peaks, idle machines and "
        "longer requests, and batches them."
    )
    if asked.pue is None:
        yield "No PUE: what the data centre takes for itself is not in it (--pue)."
    if asked.training is not None:
        yield "That this training made this model is as you say: nothing here checks it."
