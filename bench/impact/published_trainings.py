"""Published training runs as plans: what their authors stated, and no more."""

from __future__ import annotations

import difflib

from bench.impact import facts
from bench.impact.facts import Fact
from bench.impact.lifecycle_plan import (
    DeploymentPlan,
    EmbodiedPlan,
    IdlePlan,
    LifeCyclePlan,
    TrainingPlan,
)

BLOOM = "bloom-176b"
KIND = "published figures, NOT measured here"


def keys() -> tuple[str, ...]:
    """The published runs whose energy is known."""
    runs = facts.training_runs()
    parts = f"{BLOOM}-"
    return tuple(k for k, r in runs.items() if k == BLOOM or ("energy" in r and parts not in k))


def published_run(key: str) -> dict[str, Fact]:
    """What was published of a run, by quantity. Raises ValueError, naming the nearest."""
    runs = facts.training_runs()
    if key not in keys():
        near = difflib.get_close_matches(key.lower(), keys(), n=3, cutoff=0.3)
        more = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(keys())}"
        raise ValueError(f"no published training run {key!r}; {more}")
    return runs[key]


def published_plan(key: str) -> LifeCyclePlan:
    """A published run as a plan. Raises ValueError for an unknown key."""
    found = published_run(key)
    if key == BLOOM:
        return _bloom(found)
    energy, grid = found["energy"], found.get("grid")
    hours = found.get("hours")
    devices = hours.value if hours and hours.basis == "device-hours" else None
    stated = found.get("emissions")
    notes = [f"{energy.basis}; {energy.source} ({energy.edition}). {energy.note}"]
    if stated:
        notes.append(f"The authors state {stated.value:g} {stated.unit} ({stated.basis}).")
    return LifeCyclePlan(
        name=energy.label,
        kind=KIND,
        grid_gco2e_per_kwh=grid.value if grid else None,
        grid_source="as the authors applied it",
        training=TrainingPlan(energy_kwh=energy.value, device_hours=devices),
        notes=tuple(notes),
    )


def recomputed(key: str) -> LifeCyclePlan:
    """A run by its hours, power and PUE, not by the energy that its authors state.

    Raises ValueError where these were not published.
    """
    found = published_run(key)
    if not {"hours", "power", "pue"} <= found.keys():
        raise ValueError(f"hours, power and PUE of {key} were not published")
    training = TrainingPlan(device_hours=found["hours"].value, watts=found["power"].value)
    return published_plan(key).model_copy(update={"training": training, "pue": found["pue"].value})


def energy(key: str) -> Fact:
    """The published energy of a run, in kWh. Raises ValueError for an unknown key."""
    return (
        published_run(key)["energy"]
        if key != BLOOM
        else facts.training_runs()[f"{BLOOM}-dynamic"]["energy"]
    )


def _bloom(found: dict[str, Fact]) -> LifeCyclePlan:
    """The one run whose whole life cycle was published."""
    sources = facts.table("embodied")
    waiting, hall = found["idle-power"], found["infrastructure-power"]
    return LifeCyclePlan(
        name=found["device-hours"].label,
        kind=KIND,
        grid_gco2e_per_kwh=facts.training_runs()[f"{BLOOM}-dynamic"]["grid"].value,
        grid_source="as the authors applied it",
        training=TrainingPlan(
            hardware="A100 SXM4 80GB",
            device_hours=found["device-hours"].value,
            count=found["devices"].value,
            watts=found["device-power"].value,
        ),
        idle=IdlePlan(
            kilowatts=(waiting.value + hall.value) / 1000, least_kilowatts=waiting.value / 1000
        ),
        embodied=EmbodiedPlan(
            device_kg=sources["gpu/nvidia-a100/luccioni-2022"].value,
            server_kg=sources["server/luccioni-2022"].value,
            lifetime_years=sources["lifetime/luccioni-2022"].value,
            utilisation=sources["utilisation/luccioni-2022"].value,
        ),
        deployment=_api(),
        notes=(
            f"{found['device-hours'].source}, and sections 4.1 to 4.3: TDP x hours, not metered.",
            "No PUE: the infrastructure stands under idle. Low of idle: 64 kW already hold the 27.",
            "Deployment: 18 days of 16 A100, three quarters of the energy to keep it in memory.",
        ),
    )


def _api() -> DeploymentPlan:
    """The 18 days in which the model was served, idle included."""
    used = {name: facts.inference()[f"bloom-api/{name}"].value for name in ("energy", "requests")}
    days = facts.inference()["bloom-api/days"].value
    return DeploymentPlan(
        inferences_per_day=used["requests"] / days,
        wh_per_inference=1000 * used["energy"] / used["requests"],
        days=days,
        grid_gco2e_per_kwh=facts.inference()["bloom-api/grid"].value,
    )
