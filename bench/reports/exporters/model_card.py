"""A Hugging Face model card with the energy of a model; what the card had stays in it.

Energy is an evaluation result of the card's index. `co2_eq_emissions` is added where a region is
named and the card has none: the hub means training by it, so one that is there is not replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from bench.impact import carbon
from bench.impact.region_comparison import pue_of
from bench.impact.regions import Region
from bench.reports.exporters import ExportOptions, ImportedEnergy
from bench.reports.exporters._common import RunTotals, imported, ours, with_energy
from bench.results.record import Result
from bench.system import registry

SUFFIX = ".md"


METRIC = "energy_kwh_per_1000"


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """The card (a new one without `base`) with an evaluation result for each result.

    Raises ValueError where the results are of several models, or the card can't be read.
    """
    found = with_energy(list(results))
    models = dict.fromkeys(each.result.model.id for each in found)
    if len(models) > 1:
        raise ValueError(f"a card is of one model, and these are {', '.join(models)}")
    name = next(iter(models))
    card = _card(options.base, name)
    data = cast(ModelCardData, card.data)
    data.model_name = data.model_name or name
    new = [_evaluation(each) for each in found]
    kept = [old for old in data.eval_results or [] if not any(_same(old, n) for n in new)]
    data.eval_results = kept + new
    if options.region and "co2_eq_emissions" not in data.to_dict():
        data["co2_eq_emissions"] = _emissions(found[0], options.region, options.pue)
    return str(card).encode()


def read(data: bytes) -> list[ImportedEnergy]:
    """The energies that a card states. Raises ValueError where it states none."""
    results = cast(ModelCardData, _card(data, "").data).eval_results or []
    blocks = [result.metric_args for result in results if result.metric_type == METRIC]
    try:
        found = [imported(block or {}) for block in blocks]
    except (KeyError, TypeError, ValueError):
        raise ValueError("the card states an energy without what it is of") from None
    if not found:
        raise ValueError("the card states no energy of JouleBench")
    return found


def _card(base: bytes | None, name: str) -> ModelCard:
    if base is None:
        data = ModelCardData(model_name=name, eval_results=[])
        return ModelCard(f"---\n{data.to_yaml()}\n---\n\n# {name}\n")
    try:
        return ModelCard(base.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"not a model card that huggingface_hub reads: {reason}") from None


def _evaluation(found: RunTotals) -> EvalResult:
    result = found.result
    value = found.per_1000
    tag = registry.tag(result.task.id) if result.task.id in registry.names("task") else None
    return EvalResult(
        task_type=tag or result.task.id,
        dataset_type=result.task.dataset,
        dataset_name=result.task.dataset,
        metric_type=METRIC,
        metric_name=f"Energy per 1,000 inferences in kWh, JouleBench, {found.how}",
        metric_value=value.value if value else None,
        metric_args=ours(found),
    )


def _emissions(found: RunTotals, region: Region, pue: float | None) -> dict[str, Any]:
    """Grams of CO2e of 1,000 inferences, with what they rest on."""
    grid = carbon.grid_factor(region.key)
    factor = pue_of(region, pue).value
    assert found.per_1000 is not None, "a result with an energy has one per 1,000"
    gpus = [d.name for d in found.result.machine.devices if d.used and "gpu:" in d.domain]
    return {
        "emissions": found.per_1000.value * factor * grid.value,
        "source": f"JouleBench, 1,000 inferences of {found.result.task.id} (not training), "
        f"{found.how}; {grid.value:g} g/kWh, {grid.basis}, {grid.edition}, location-based; "
        f"PUE {factor:g}",
        "geographical_location": region.label,
        "hardware_used": ", ".join(gpus) or found.result.machine.cpu_name,
    }


def _same(a: EvalResult, b: EvalResult) -> bool:
    """Whether two are of the same task, data and kind of figure: the newer replaces the older."""
    return all(
        getattr(a, field) == getattr(b, field)
        for field in ("task_type", "dataset_type", "dataset_name", "metric_type")
    )
