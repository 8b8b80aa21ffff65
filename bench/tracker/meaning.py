"""What a tracked program's energy means: grams of CO2e where it ran, and phone charges."""

from __future__ import annotations

from typing import Any

from bench.impact import equivalences, regions
from bench.impact.facts import DerivedQuantity, derive
from bench.results.record import Estimate
from bench.tracker.record import Track


def billed(track: Track) -> Estimate | None:
    """The energy in kWh with the building's share (PUE), where the user gave one."""
    energy = track.energy_kwh
    if energy is None or track.pue is None:
        return energy
    ends = {end: getattr(energy, end) * track.pue for end in ("value", "low", "high")}
    return energy.model_copy(update=ends)


def carbon(track: Track) -> list[DerivedQuantity]:
    """Grams of CO2e by every basis that is published for the region, the nearest place first.

    Without a region: on the cleanest and on the dirtiest grid of one basis, and the world's.
    """
    energy = billed(track)
    if energy is None:
        return []
    if track.region is None:
        found = [region.factor(regions.LIFE_CYCLE) for region in regions.every()]
        grids = sorted((fact for fact in found if fact), key=lambda fact: fact.value)
        world = regions.find("world").factor(regions.LIFE_CYCLE)
        chosen = [grids[0], world, grids[-1]]
    else:
        region = regions.find(track.region)
        chosen = [*(region.factor(basis) for basis in regions.BASES), region.market]
    facts = dict.fromkeys(fact for fact in chosen if fact is not None)
    return [derive(energy, fact.value, "gCO2e", fact) for fact in facts]


def charges(track: Track, edition: str) -> DerivedQuantity | None:
    """Smartphone charges of the same energy; the building's share is in neither."""
    if track.energy_kwh is None:
        return None
    return equivalences.phone_charges(track.energy_kwh, edition)


def document(track: Track, edition: str) -> dict[str, Any]:
    """The record with its meaning, ready for JSON."""
    found = charges(track, edition)
    return {
        **track.model_dump(mode="json"),
        "footprint": {
            "co2e": [vars(quantity) for quantity in carbon(track)],
            "phone_charges": vars(found) if found else None,
        },
    }
