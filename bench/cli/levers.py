"""`joulebench levers`: what each efficiency setting saves, and the quality that it costs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._errors import FAILED, exit_on_error
from bench.cli._options import DeviceName, Json
from bench.cli._progress import ProgressLine
from bench.results.settings import Dtype, Weights

if TYPE_CHECKING:
    from bench.analysis.ablation import AblationResult

PANEL = "Measure"


def command(
    task: Annotated[str, typer.Argument(help="A task (see `joulebench tasks`) or a pipeline tag.")],
    model: Annotated[
        str, typer.Option(help="Hub id, folder, embedded/tiny, embedded/small.")
    ] = "embedded/small",
    lever: Annotated[
        list[str] | None,
        typer.Option(
            help="dtype=bf16, batch=8, quantization=int8, compile=on, attention=eager, steps=10, "
            "size=256x256, or several with commas; may be repeated. By default what is usual here."
        ),
    ] = None,
    weights: Annotated[
        Weights, typer.Option(help="random builds the architecture alone.")
    ] = Weights.pretrained,
    dataset: Annotated[str | None, typer.Option(help="As for `joulebench run`.")] = None,
    device: DeviceName = "auto",
    dtype: Annotated[Dtype, typer.Option(help="Without any lever.")] = Dtype.auto,
    rounds: Annotated[int, typer.Option(min=5, help="Windows of each setting.")] = 5,
    budget: Annotated[
        float, typer.Option(min=1, help="Seconds for the windows of all settings together.")
    ] = 300.0,
    quick: Annotated[bool, typer.Option("--quick", help="Short windows; never ranks.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where results go.")] = None,
    as_json: Json = False,
) -> None:
    """Measure one model under one changed setting at a time, the windows of all in turn."""
    from bench.analysis import ablation as room
    from bench.results import storage
    from bench.runner import config
    from bench.system import process

    process.configure_environment()
    asked = config.RunConfig(
        task=task,
        out=out or storage.default_output_folder(),
        model=model,
        weights=weights.value,
        dataset=dataset,
        device=device,
        dtype=dtype.value,
        budget_seconds=budget,
        profile="quick" if quick else "standard",
    )
    progress = ProgressLine(sys.stderr)
    savings = exit_on_error(lambda: room.run_ablation(asked, lever or None, progress, rounds))
    progress.clear()
    if as_json:
        for saving in savings:
            print(json.dumps(_plain(saving)), flush=True)
    else:
        _show(savings)
    base = savings[0].result
    raise typer.Exit(FAILED if base is None or base.status == "failed" else 0)


def _plain(saving: AblationResult) -> dict[str, Any]:
    """One lever as JSON; `energy_saving` is the share of the energy that is gone, 0.2 for 20 %."""
    energy = saving.energy
    ends = None if energy is None else (1 - energy.value, 1 - energy.high, 1 - energy.low)
    return {
        "lever": saving.lever,
        "energy_saving": ends and dict(zip(("value", "low", "high"), ends, strict=True)),
        "energy_ratio": energy and energy.model_dump(),
        "duration_ratio": saving.duration and saving.duration.model_dump(),
        "quality_difference": saving.quality and saving.quality.model_dump(),
        "energy_kind": saving.result and saving.result.boundary.kind,
        "why_not": saving.why_not,
        "result": saving.path and str(saving.path),
    }


def _show(savings: list[AblationResult]) -> None:
    """A table, the setting without levers first, and what its figures are."""
    from rich import box
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table("lever", "energy saved", "time saved", "quality", box=box.SIMPLE_HEAD)
    missing = [s for s in savings[1:] if s.energy is None and s.duration is None]
    for saving in savings[1:]:
        if saving not in missing:
            cells = (_share(saving.energy), _share(saving.duration), _quality(saving))
            table.add_row(Text(saving.lever), *cells)
    console = Console(highlight=False)
    base = savings[0].result
    if base is None or base.status == "failed":
        console.print(f"\n  without a lever it fails: {savings[0].why_not}\n", markup=False)
        return
    modelled = base.boundary.kind == "modelled"
    kind = "modelled from CPU time, NOT measured" if modelled else "measured"
    title = f"{base.task.id} · {base.model.id} · {base.model.dtype} · batch "
    title += f"{base.model.settings.get('batch_size')} · energy {kind}"
    console.print(Padding(Text(title, "bold"), (1, 2, 0, 2)))
    console.print(Padding(table, (0, 0, 0, 1)))
    for saving in missing:
        console.print(f"  {saving.lever} is left out: {saving.why_not}", markup=False)
    console.print(
        f"\n  Each against the model without it, on the same requests; 95 % intervals over "
        f"{len(base.measured())} rounds.\n  Other steps or another size are other work.",
        style="dim",
        soft_wrap=True,
    )
    paths = [str(s.path.parent) for s in savings if s.path]
    console.print(f"\n  saved  {len(paths)} results in {paths[0]}\n", soft_wrap=True, markup=False)


def _share(ratio: Any) -> Any:
    """What is saved, in percent, green where it is sure, red where it surely costs more."""
    from rich.text import Text

    if ratio is None:
        return "not known"
    value, low, high = (100 * (1 - end) for end in (ratio.value, ratio.high, ratio.low))
    style = "green" if low > 0 else "red" if high < 0 else ""
    return Text(f"{value:+.1f} %  ({low:+.1f} to {high:+.1f})", style, no_wrap=True)


def _quality(saving: AblationResult) -> str:
    difference = saving.quality
    if difference is None:
        return "not known"
    return f"{difference.value:+.3f}  ({difference.low:+.3f} to {difference.high:+.3f})"
