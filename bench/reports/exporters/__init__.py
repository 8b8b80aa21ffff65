"""Results in the forms that others read: one file a form, found by its name.

A form's file has `SUFFIX` and `export(results, options) -> bytes`; most have `read(data)`, which
gives the energy back to the last digit. What is modelled says so in every form, and what could not
be read is empty, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.system import registry

if TYPE_CHECKING:
    from bench.impact.regions import Region
    from bench.results.record import Result

Kind = Literal["measured", "modelled", "unknown"]


@dataclass(frozen=True)
class ExportOptions:
    """What a form may need beyond the results.

    Without a `region` nothing says how much carbon a kWh holds, and no form guesses. `pue` is the
    power usage effectiveness of the place, `embodied_kg` what making the machine emitted, where no
    table has it; `base` is a file to add to, such as a model card.
    """

    region: Region | None = None
    pue: float | None = None
    embodied_kg: float | None = None
    base: bytes | None = None


@dataclass(frozen=True)
class ImportedEnergy:
    """One energy as a file of some form states it; None is what the file does not say.

    Raises ValueError for an energy or a time that is none: negative, infinite, not a number.
    """

    label: str
    energy_kwh: float | None
    duration_seconds: float | None
    inference_count: int | None
    kind: Kind
    note: str

    def __post_init__(self) -> None:
        for figure in (self.energy_kwh, self.duration_seconds):
            if figure is not None and not 0 <= figure < math.inf:
                raise ValueError(f"{figure} is neither an energy nor a time")


def export(name: str, results: Sequence[Result], options: ExportOptions) -> bytes:
    """The results in a form. Raises ValueError where there is no such form or nothing to put in."""
    data: bytes = registry.load("exporter", name).export(results, options)
    return data


def read(name: str, data: bytes) -> list[ImportedEnergy]:
    """What a file of a form says. Raises ValueError where it is not of the form."""
    module = registry.load("exporter", name)
    if not hasattr(module, "read"):
        raise ValueError(f"{name} can be written and not read")
    found: list[ImportedEnergy] = module.read(data)
    return found
