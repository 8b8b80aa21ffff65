"""`joulebench levers`: the energy that each efficiency setting saves, and its effect on quality."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._io import FAILED, print_json
from bench.cli._options import Json, options_from
from bench.runner.config import RunConfig

if TYPE_CHECKING:
    from bench.analysis.ablation import AblationResult
    from bench.results.record import Estimate

PANEL = "Measure"


@options_from(RunConfig, only=("model", "weights", "dataset", "device", "dtype", "quick", "out"))
def command(
    task: Annotated[str, typer.Argument(help="A task (see `joulebench tasks`) or a pipeline tag.")],
    lever: Annotated[
        list[str] | None,
        typer.Option(
            help="dtype=bf16, batch=8, quantization=int8, compile=on, attention=eager, steps=10, "
            "size=256x256, or several with commas; may be repeated. By default the usual ones."
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=5, help="Windows of each setting.")] = 5,
    budget: Annotated[
        float, typer.Option(min=1, help="Seconds for the windows of all settings together.")
    ] = 300.0,
    *,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Measure one model under one changed setting at a time, with interleaved windows."""
    from bench.analysis.ablation import run_ablation
    from bench.cli._progress import ProgressLine

    config = RunConfig(task=task, budget_seconds=budget, **options)
    progress = ProgressLine(sys.stderr)
    results = run_ablation(config, lever or None, progress, rounds)
    progress.clear()
    if as_json:
        for item in results:
            print_json(_as_json(item))
    else:
        _print(results)
    base = results[0].result
    raise typer.Exit(FAILED if base is None or base.status == "failed" else 0)


def _as_json(item: AblationResult) -> dict[str, Any]:
    """One variant as JSON; `energy_saving` is 1 - energy ratio, 0.2 for 20 % less energy."""
    energy = item.energy
    ends = None if energy is None else (1 - energy.value, 1 - energy.high, 1 - energy.low)
    return {
        "lever": item.variant,
        "energy_saving": ends and dict(zip(("value", "low", "high"), ends, strict=True)),
        "energy_ratio": energy and energy.model_dump(),
        "duration_ratio": item.duration and item.duration.model_dump(),
        "quality_difference": item.quality and item.quality.model_dump(),
        "energy_kind": item.result and item.result.boundary.kind,
        "why_not": item.why_not,
        "result": item.path and str(item.path),
    }


def _print(results: list[AblationResult]) -> None:
    """Print a table with one row for each variant, and notes on its figures."""
    from rich import box
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from bench.analysis import comparison

    console = Console(highlight=False)
    base, *variants = results
    result = base.result
    if result is None or result.status == "failed":
        console.print(f"\n  the base fails: {base.why_not}\n", markup=False)
        return
    table = Table("setting", "energy saved", "time saved", "quality", box=box.SIMPLE_HEAD)
    missing = [item for item in variants if item.energy is None and item.duration is None]
    for item in variants:
        if item not in missing:
            cells = (_saving(item.energy), _saving(item.duration), _quality(item))
            table.add_row(Text(item.variant), *cells)
    kind = "measured"
    if result.boundary.kind == "modelled":
        kind = "modelled from CPU time (idle power and memory not counted), NOT measured"
    title = f"{result.task.id} · {result.model.id} · {result.model.dtype} · batch "
    title += f"{result.model.settings.get('batch_size')} · energy {kind}"
    console.print(Padding(Text(title, "bold"), (1, 2, 0, 2)))
    console.print(Padding(table, (0, 0, 0, 1)))
    for item in missing:
        console.print(f"  {item.variant} is left out: {item.why_not}", markup=False)
    console.print(
        f"\n  Each against the base, on the same requests; 95 % intervals over "
        f"{len(result.measured())} rounds.\n  Other steps or another size are other work.",
        style="dim",
        soft_wrap=True,
    )
    if any(comparison.is_undecided(item.quality) for item in results):
        least = comparison.MIN_QUALITY_REQUESTS
        console.print(f"  Too few requests to judge quality: below {least}.", style="dim")
    paths = [item.path.parent for item in results if item.path]
    console.print(f"\n  saved  {len(paths)} results in {paths[0]}\n", soft_wrap=True, markup=False)


def _saving(ratio: Estimate | None) -> Any:
    """The saving in percent; green where its interval is above zero, red where it is below."""
    from rich.text import Text

    if ratio is None:
        return "not known"
    value, low, high = (100 * (1 - end) for end in (ratio.value, ratio.high, ratio.low))
    style = "green" if low > 0 else "red" if high < 0 else ""
    return Text(f"{value:+.1f} %  ({low:+.1f} to {high:+.1f})", style, no_wrap=True)


def _quality(item: AblationResult) -> str:
    difference = item.quality
    if difference is None:
        return "not known"
    return f"{difference.value:+.3f}  ({difference.low:+.3f} to {difference.high:+.3f})"
