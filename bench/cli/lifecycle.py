"""`joulebench lifecycle`: what each stage of a life cycle takes and emits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._errors import exit_on_error
from bench.cli._options import Json

if TYPE_CHECKING:
    from bench.impact.lifecycle import LifeCycle
    from bench.impact.per_inference import LifeCycleInputs
    from bench.impact.sci import SciScore, SciScores

PANEL = "Understand"


def command(
    source: Annotated[
        str, typer.Argument(help="A result file, a plan (.toml), or a published run: bloom-176b.")
    ],
    region: Annotated[
        str | None, typer.Option(help="FR, US-WV, aws:eu-west-3 … instead of the source's.")
    ] = None,
    pue: Annotated[float | None, typer.Option(help="Of the data centre, 1 or more.")] = None,
    training: Annotated[
        str | None, typer.Option(help="For a result: the published run that made the model.")
    ] = None,
    uses: Annotated[
        float | None, typer.Option(help="For a result: how many uses that training serves in all.")
    ] = None,
    embodied_kg: Annotated[
        float | None, typer.Option(help="For a result: kgCO2e of making the machine.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show dynamic, idle, overhead and embodied emissions, of training and of use.

    After Luccioni et al. (2022), with the Software Carbon Intensity (ISO/IEC 21031) of a result.
    """
    from bench.impact.per_inference import LifeCycleInputs

    asked = LifeCycleInputs(region, pue, training, uses, embodied_kg)
    found, scores = exit_on_error(lambda: _computed(source, asked))
    if as_json:
        print(json.dumps(_json(found, scores), ensure_ascii=False))
    else:
        _show(found, scores)


def _computed(source: str, asked: LifeCycleInputs) -> tuple[LifeCycle, SciScores]:
    """The life cycle of a file or a published run. Raises ValueError with one sentence."""
    from bench.impact import lifecycle, lifecycle_plan, per_inference, published_trainings, sci
    from bench.results import storage

    if source.endswith(".json"):
        result = storage.load_result(Path(source))
        return per_inference.inference_lifecycle(result, asked), sci.of_result(result, asked)
    extra = (("training", asked.training), ("uses", asked.uses), ("embodied-kg", asked.embodied_kg))
    for name, value in extra:
        if value is not None:
            raise ValueError(f"--{name} goes with a result file only")
    chosen = (
        lifecycle_plan.load(Path(source))
        if source.endswith(".toml")
        else published_trainings.published_plan(source)
    )
    chosen = lifecycle_plan.with_location(chosen, asked.region, asked.pue)
    found = lifecycle.plan_lifecycle(chosen)
    return found, sci.of_plan(chosen, found)


def _show(found: LifeCycle, scores: SciScores) -> None:
    from bench.cli import _layout
    from bench.cli._layout import grams
    from bench.results.formatting import interval_text

    without = f"; {', '.join(found.missing)} not known, not in it" if found.missing else ""
    rows = [("grid", f"{found.intensity.label}   {found.intensity.basis}"), *_scored(scores)]
    if found.covers == "to train":
        rows.insert(0, ("whole / dynamic", f"{interval_text(found.over_dynamic)} times"))
    _layout.show(
        [
            _layout.head(found.name),
            _layout.headline(grams(found.grams), f"CO2e {found.covers}", found.kind + without),
            _layout.stages(found.stages),
            _layout.grid(rows),
            _layout.notes(found.notes or (CAVEAT,)),
        ]
    )


CAVEAT = "A plan is as good as its figures; what it leaves out is taken over all sources."


def _scored(scores: SciScores) -> list[tuple[str, str]]:
    """SCI per inference and both scores of SCI for AI, or why there is none."""
    none = f"none: {scores.no_consumer}"
    rows = [
        ("SCI", _score(scores.inference) if scores.inference else none),
        ("SCI for AI", f"consumer: {_score(scores.consumer) if scores.consumer else none}"),
    ]
    rows += [("", f"provider: {_score(score)}") for score in scores.providers]
    return rows if scores.providers else [*rows, ("", f"provider: none: {scores.no_provider}")]


def _score(score: SciScore) -> str:
    from bench.cli._layout import grams

    text = f"{grams(score.grams)} CO2e per {score.unit}"
    return text if score.complete else f"{text}, of energy alone: {score.missing}"


def _json(found: LifeCycle, scores: SciScores) -> dict[str, Any]:
    from bench.results.interval import interval_json

    return {
        "name": found.name,
        "kind": found.kind,
        "covers": found.covers,
        "gco2e": interval_json(found.grams),
        "missing": found.missing,
        "grid": {
            "gco2e_per_kwh": interval_json(found.intensity.grams_per_kwh),
            "label": found.intensity.label,
            "basis": found.intensity.basis,
        },
        "stages": [stage.as_json() for stage in found.stages],
        "sci": {
            "inference": scores.inference.as_json() if scores.inference else None,
            "consumer": scores.consumer.as_json() if scores.consumer else None,
            "no_consumer": scores.no_consumer,
            "providers": [score.as_json() for score in scores.providers],
            "no_provider": scores.no_provider,
        },
        "caveats": found.notes or (CAVEAT,),
    }
