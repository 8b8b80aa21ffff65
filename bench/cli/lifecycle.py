"""`joulebench lifecycle`: energy and emissions of each stage of a life cycle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._io import print_json
from bench.cli._options import Json

if TYPE_CHECKING:
    from bench.impact.lifecycle import LifeCycle
    from bench.impact.per_inference import LifeCycleInputs
    from bench.impact.sci import SciScores

PANEL = "Understand"
CAVEAT = "Figures that the plan omits are ranges over all sources."


def command(
    source: Annotated[
        str,
        typer.Argument(help="A result file, a plan (.toml), or a published training: bloom-176b."),
    ],
    region: Annotated[
        str | None, typer.Option(help="FR, US-WV, aws:eu-west-3 … instead of that of the source.")
    ] = None,
    pue: Annotated[float | None, typer.Option(help="Power usage effectiveness, 1 or more.")] = None,
    training: Annotated[
        str | None, typer.Option(help="For a result: the published training of the model.")
    ] = None,
    uses: Annotated[
        float | None,
        typer.Option(help="For a result: number of uses that the training serves in all."),
    ] = None,
    embodied_kg: Annotated[
        float | None, typer.Option(help="For a result: kgCO2e of manufacturing the machine.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show dynamic, idle, overhead and embodied emissions, of training and of use.

    After Luccioni et al. (2022), with the Software Carbon Intensity (ISO/IEC 21031) of a result.
    """
    from bench.impact.lifecycle import not_added_reason
    from bench.impact.per_inference import LifeCycleInputs
    from bench.reports.text_layout import print_template

    inputs = LifeCycleInputs(region, pue, training, uses, embodied_kg)
    computed, scores = _compute(source, inputs)
    caveats = computed.notes or (CAVEAT,)
    if computed.not_added:
        caveats += (not_added_reason(computed.intensity),)
    if as_json:
        print_json(
            {
                "name": computed.name,
                "kind": computed.kind,
                "covers": computed.covers,
                "gco2e": computed.grams,
                "missing": computed.missing,
                "not_added": computed.not_added,
                "grid": computed.intensity,
                "stages": computed.stages,
                "sci": scores,
                "caveats": caveats,
            }
        )
    else:
        template = Path(__file__).with_suffix(".jinja")
        print_template(template, computed=computed, scores=scores, caveats=caveats)


def _compute(source: str, inputs: LifeCycleInputs) -> tuple[LifeCycle, SciScores]:
    """The life cycle and scores of a file or a published training. Raises ValueError."""
    from bench.impact import lifecycle, lifecycle_plan, per_inference, published_trainings, sci
    from bench.results import storage

    if source.endswith(".json"):
        result = storage.load_result(Path(source))
        scores = sci.result_scores(result, inputs)
        return per_inference.inference_lifecycle(result, inputs), scores
    for option in ("training", "uses", "embodied_kg"):
        if getattr(inputs, option) is not None:
            raise ValueError(f"--{option.replace('_', '-')} needs a result file")
    if source.endswith(".toml"):
        plan = lifecycle_plan.load(Path(source))
    else:
        plan = published_trainings.published_plan(source)
    plan = lifecycle_plan.with_location(plan, inputs.region, inputs.pue)
    computed = lifecycle.plan_lifecycle(plan)
    return computed, sci.plan_scores(plan, computed)
