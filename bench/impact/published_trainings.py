"""Published training runs as plans: the figures that their authors state, from the fact tables."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path

from bench.impact import facts
from bench.impact.facts import Fact
from bench.impact.lifecycle_plan import LifeCyclePlan, TrainingPlan
from bench.results.escaping import text_environment

BLOOM = "bloom-176b"
KIND = "published figures, NOT measured here"
GRID_SOURCE = "as the authors applied it"


def keys() -> tuple[str, ...]:
    """The published runs whose energy is known; the stages of BLOOM are no runs of their own."""
    runs = facts.training_runs()
    stages = f"{BLOOM}-"
    return tuple(k for k, r in runs.items() if k == BLOOM or ("energy" in r and stages not in k))


def published_run(key: str) -> dict[str, Fact]:
    """The facts of a run by quantity. Raises ValueError, naming the nearest, if unknown."""
    if key not in keys():
        near = difflib.get_close_matches(key.lower(), keys(), n=3, cutoff=0.3)
        hint = f"did you mean {', '.join(near)}?" if near else f"choose one of {', '.join(keys())}"
        raise ValueError(f"no published training run {key!r}; {hint}")
    return facts.training_runs()[key]


def named_parameter_counts(key: str) -> tuple[float, ...]:
    """The numbers of parameters that the name of a run states, such as 7e9 of "llama-2-7b".

    Two for a run of two models ("llama-3.2-1b-3b"); empty where the name states none.
    """
    sizes = {"m": 1e6, "b": 1e9, "t": 1e12}
    found = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)([mbt])(?!\w)", key)
    return tuple(float(number) * sizes[unit] for number, unit in found)


def published_plan(key: str) -> LifeCyclePlan:
    """A published run as a plan. Raises ValueError for an unknown key."""
    run = published_run(key)
    if key == BLOOM:
        return _bloom_plan()
    energy, grid, hours, emissions = (run.get(k) for k in ("energy", "grid", "hours", "emissions"))
    assert energy is not None, "every key has an energy"
    notes = [f"{energy.basis}; {energy.source} ({energy.edition}). {energy.note}"]
    if emissions:
        notes.append(f"The authors state {emissions.value:g} {emissions.unit} ({emissions.basis}).")
    return LifeCyclePlan(
        name=energy.label,
        kind=KIND,
        grid_gco2e_per_kwh=grid.value if grid else None,
        grid_source=GRID_SOURCE,
        training=TrainingPlan(
            energy_kwh=energy.value,
            device_hours=hours.value if hours and hours.basis == "device-hours" else None,
        ),
        notes=tuple(notes),
    )


def recomputed_plan(key: str) -> LifeCyclePlan:
    """A run by its hours, power and PUE. Raises ValueError where these were not published."""
    run = published_run(key)
    if not {"hours", "power", "pue"} <= run.keys():
        raise ValueError(f"hours, power and PUE of {key} were not published")
    training = TrainingPlan(device_hours=run["hours"].value, watts=run["power"].value)
    return published_plan(key).model_copy(update={"training": training, "pue": run["pue"].value})


def energy(key: str) -> Fact:
    """Energy of a run in kWh, of BLOOM the dynamic one. Raises ValueError for an unknown key."""
    if key == BLOOM:
        return facts.training_runs()[f"{BLOOM}-dynamic"]["energy"]
    return published_run(key)["energy"]


def _bloom_plan() -> LifeCyclePlan:
    template = text_environment(Path(__file__).parent).get_template(f"{BLOOM}.toml.jinja")
    content = tomllib.loads(template.render(fact=facts.fact_by_name))
    content |= {"kind": KIND, "grid_source": GRID_SOURCE, "notes": tuple(content["notes"])}
    return LifeCyclePlan(**content)
