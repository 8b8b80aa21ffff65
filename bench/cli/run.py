"""`joulebench run`: measure a task on one model or several."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import _batch
from bench.cli._errors import (
    FAILED,
    INTERRUPTED,
    exit_on_error,
    exit_with_error,
    log,
    warn_on_error,
)
from bench.cli._options import DeviceName, Edition, Json
from bench.cli._progress import ProgressLine
from bench.reports.terminal import print_summary
from bench.results.settings import Attention, Dtype, LabelMethod, Quantization, Weights

if TYPE_CHECKING:
    from bench.results.record import Result
    from bench.runner.config import RunConfig

PANEL = "Measure"


def command(
    ctx: typer.Context,
    task: Annotated[
        str, typer.Argument(help="A task (see `joulebench tasks`), a pipeline tag, or all.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(help="Hub id, folder, embedded/tiny, embedded/small; may be repeated."),
    ] = None,
    weights: Annotated[
        Weights, typer.Option(help="random builds the architecture alone; it never ranks.")
    ] = Weights.pretrained,
    dataset: Annotated[
        str | None,
        typer.Option(help="embedded, standard, power-hungry …, or a path. By default the model's."),
    ] = None,
    ask: Annotated[
        LabelMethod, typer.Option(help="How a model is asked for a label; auto: as it is made.")
    ] = LabelMethod.auto,
    device: DeviceName = "auto",
    dtype: Annotated[
        Dtype, typer.Option(help="auto: float32; on a GPU float16 to generate text.")
    ] = Dtype.auto,
    batch_size: Annotated[int, typer.Option(min=1, help="Requests served together.")] = 1,
    quantization: Annotated[
        Quantization | None, typer.Option(help="Weights in 8 or 4 bits, through torchao.")
    ] = None,
    compile_: Annotated[
        bool, typer.Option("--compile", help="torch.compile, before anything is measured.")
    ] = False,
    attention: Annotated[
        Attention | None, typer.Option(help="How attention is computed; else the library's choice.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Denoising steps: other work, ranked apart.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Image size, e.g. 512x512: other work, ranked apart.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Commit or branch of a hub model.")] = None,
    budget: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds beyond loading; 150 on a CPU, 300 on a GPU."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="±1 % and 30 s idle floors.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds only; never ranks.")] = False,
    max_inferences: Annotated[
        int | None, typer.Option(min=1, help="Cut each block to N inferences; makes a quick run.")
    ] = None,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Load weights that are not safetensors.")
    ] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that a model brings along.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Where results go.")] = None,
    edition: Edition = "epa-current",
    backend: Annotated[str | None, typer.Option(help="Instead of the one for the task.")] = None,
    meter: Annotated[str | None, typer.Option(help="This meter alone, e.g. replay:F.csv.")] = None,
    cpu_tdp: Annotated[
        float | None, typer.Option(min=0.1, help="The CPU's TDP in watts, for modelled energy.")
    ] = None,
    meter_option: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE for the meters, e.g. nvml_counter_duty=0.25."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a task on one model or several, one after the other; or all tasks."""
    from bench.results import storage
    from bench.runner import config
    from bench.runner import run as room
    from bench.system import process

    models = model or ["embedded/small"]
    if task == "all":
        raise typer.Exit(_all(ctx, as_json))
    if strict and (quick or max_inferences):
        exit_with_error("--strict does not go with --quick or --max-inferences")
    asked = config.RunConfig(
        task=task,
        out=out or storage.default_output_folder(),
        model=models[0],
        weights=weights.value,
        dataset=dataset,
        ask=ask.value,
        device=device,
        dtype=dtype.value,
        batch_size=batch_size,
        quantization=quantization and quantization.value,
        compile=compile_,
        attention=attention and attention.value,
        chosen=exit_on_error(lambda: config.image_parameters(steps, size)),
        revision=revision,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
        budget_seconds=budget,
        profile="quick" if quick else "strict" if strict else "standard",
        max_inferences=max_inferences,
        backend=backend,
        meter=meter,
        options=_options(meter_option or [], cpu_tdp),
    )
    if len(models) > 1:
        process.configure_environment()
        for name in models:
            # All are found before the first is measured: a typing error shows at once.
            exit_on_error(partial(room.resolve, replace(asked, model=name)))
        raise typer.Exit(_batch.models(task, models, _batch.options(ctx, "model")))
    raise typer.Exit(_measure(asked, edition, as_json))


def _options(words: list[str], cpu_tdp: float | None) -> dict[str, str]:
    """What the meters are told."""
    from bench.system import registry

    options = {} if cpu_tdp is None else {"cpu_tdp_watts": str(cpu_tdp)}
    meters = [registry.load("meter", name) for name in registry.names("meter")] if words else []
    known = sorted({name for meter in meters for name in getattr(meter, "OPTIONS", ())})
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            exit_with_error(f"--meter-option takes NAME=VALUE, not {word!r}")
        if name not in known:
            exit_with_error(f"no meter has an option {name!r}; there are {', '.join(known)}")
        options[name] = value
    return options


def _measure(asked: RunConfig, edition: str, as_json: bool) -> int:
    """Run once and show it; gives the exit code."""
    from bench.impact import equivalences
    from bench.runner import run as room
    from bench.system import process

    process.configure_environment()
    exit_on_error(lambda: equivalences.phone_charge(edition))
    progress = ProgressLine(sys.stderr)
    result, path = exit_on_error(lambda: room.run(asked, progress))
    progress.clear()
    picture = warn_on_error(lambda: _picture(result, path))
    if as_json:
        from bench.results import storage

        print(storage.to_json(result), flush=True)
    print_summary(result, path, edition, sys.stderr if as_json else sys.stdout)
    if picture:
        log(f"  plot   {picture}\n")
    return {"done": 0, "failed": FAILED, "interrupted": INTERRUPTED}[result.status]


def _all(ctx: typer.Context, as_json: bool) -> int:
    """Run every task and show them in one table; gives the first exit code that is not 0."""
    from bench.system import registry

    began = time.monotonic()
    ended = _batch.tasks(registry.names("task"), _batch.options(ctx, "as_json"), as_json)
    stream = sys.stderr if as_json else sys.stdout
    _batch.print_overview(ended, time.monotonic() - began, stream)
    return _batch.first_bad(one.code for one in ended)


def _picture(result: Result, path: Path) -> Path | None:
    """Draw the trials of a run beside its file; None where there is nothing to draw."""
    if result.summary is None or result.summary.energy_kwh_per_1000 is None:
        return None
    import bench.reports.plots.run as figure
    from bench.reports import plots as room

    return room.save(figure.draw([result]), path.parent, path.stem)[0]
