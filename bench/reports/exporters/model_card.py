"""A Hugging Face model card with the energy of a model; the content of an existing card stays.

Energy is an evaluation result in `model-index`, its range part of the name that the hub shows.
`co2_eq_emissions` is added only on request: the hub's filters read it as emissions of training. An
existing one is not replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from bench.impact import carbon
from bench.impact.region_comparison import pue_of
from bench.impact.regions import Region
from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import RunTotals, provenance, totals_with_energy
from bench.results.formatting import interval_text
from bench.results.interval import Interval
from bench.results.record import Result
from bench.system import registry

SUFFIX = ".md"
METRIC = "energy_kwh_per_1000"


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """The card (a new one without `base`) with an evaluation result for each result.

    Raises ValueError where the results are of several models, the card cannot be read, or
    `co2_eq_emissions` is requested without a region.
    """
    totals = totals_with_energy(results)
    models = dict.fromkeys(each.result.model.id for each in totals)
    if len(models) > 1:
        raise ValueError(f"a card describes one model, but the results are of {', '.join(models)}")
    name = next(iter(models))
    card = _card(options.base, name)
    data = cast(ModelCardData, card.data)
    data.model_name = data.model_name or name
    new = [_evaluation(each) for each in totals]
    kept = [old for old in data.eval_results or [] if not any(_same(old, n) for n in new)]
    data.eval_results = kept + new
    if options.co2_eq_emissions and options.region is None:
        raise ValueError("co2_eq_emissions needs a region (--region)")
    if options.co2_eq_emissions and options.region and "co2_eq_emissions" not in data.to_dict():
        data["co2_eq_emissions"] = _emissions(totals[0], options.region, options.pue)
    return str(card).encode()


def _card(base: bytes | None, name: str) -> ModelCard:
    if base is None:
        data = ModelCardData(model_name=name, eval_results=[])
        return ModelCard(f"---\n{data.to_yaml()}\n---\n\n# {name}\n")
    try:
        return ModelCard(base.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"not a model card that huggingface_hub reads: {reason}") from None


def _evaluation(totals: RunTotals) -> EvalResult:
    result = totals.result
    value = totals.per_1000
    tag = registry.task_tag(result.task.id) if result.task.id in registry.names("task") else None
    return EvalResult(
        task_type=tag or result.task.id,
        dataset_type=result.task.dataset,
        dataset_name=result.task.dataset,
        metric_type=METRIC,
        metric_name=f"Energy per 1,000 inferences in kWh, JouleBench, {totals.statement}; "
        f"{totals.range_text}",
        metric_value=value.value if value else None,
        metric_args=provenance(totals),
    )


def _emissions(totals: RunTotals, region: Region, pue: float | None) -> dict[str, Any]:
    """Grams of CO2e of 1,000 inferences, with range, grid factor, PUE, region and hardware."""
    grid = carbon.grid_factor(region.key)
    factor = pue_of(region, pue).value
    if totals.calibrated_per_1000 is None:
        raise ValueError(f"{totals.label} has too few trials for an energy per 1,000 inferences")
    grams = Interval.of(totals.calibrated_per_1000) * (factor * grid.value)
    gpus = [device.name for device in totals.result.machine.used_gpus]
    return {
        "emissions": grams.value,
        "source": f"JouleBench, 1,000 inferences of {totals.result.task.id} (not training), "
        f"{totals.statement}; {interval_text(grams)} g with calibration uncertainty; "
        f"{grid.value:g} g/kWh, {grid.basis}, {grid.edition}, location-based; "
        f"PUE {factor:g}",
        "geographical_location": region.label,
        "hardware_used": ", ".join(gpus) or totals.result.machine.cpu_name,
    }


def _same(a: EvalResult, b: EvalResult) -> bool:
    """Whether two are of the same task, data set and metric: the newer replaces the older."""
    return all(
        getattr(a, field) == getattr(b, field)
        for field in ("task_type", "dataset_type", "dataset_name", "metric_type")
    )
