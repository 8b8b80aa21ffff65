"""The door: `joulebench …`. Reads words, calls the room that does the work, sets the exit code.

Exit codes: 0 done; 2 bad input; 3 the run failed, recorded as a result; 4 a submission was refused;
130 interrupted, finished trials saved. Rooms are imported where they are entered, so that --help
answers at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.exits import FAILED, INTERRUPTED, REFUSED, Progress, or_none, or_stop, say, stop

if TYPE_CHECKING:
    from bench.records import Result
    from bench.run import Asked

app = typer.Typer(
    name="joulebench",
    help="Measure what inference costs in energy: with an interval, a boundary, and a meaning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Weights(StrEnum):
    """Where weights come from."""

    pretrained = "pretrained"
    random = "random"


class Dtype(StrEnum):
    """Precisions, by their names and their short names."""

    auto = "auto"
    float32 = "float32"
    fp32 = "fp32"
    float16 = "float16"
    fp16 = "fp16"
    bfloat16 = "bfloat16"
    bf16 = "bf16"


Json = Annotated[bool, typer.Option("--json", help="One line of JSON a result on standard output.")]
Results = Annotated[Path, typer.Option(help="The folder of results.")]


@app.command()
def run(
    task: Annotated[str, typer.Argument(help="A task (see `joulebench tasks`) or a pipeline tag.")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="Hub id, folder, embedded/tiny, embedded/small; may be repeated."),
    ] = None,
    weights: Annotated[
        Weights, typer.Option(help="random builds the architecture alone; it never ranks.")
    ] = Weights.pretrained,
    dataset: Annotated[
        str | None,
        typer.Option(help="embedded, standard, power-hungry, or a path. By default the model's."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, or cuda:N.")] = "auto",
    dtype: Annotated[
        Dtype, typer.Option(help="auto: float32; on a GPU float16 to generate text.")
    ] = (Dtype.auto),
    batch_size: Annotated[int, typer.Option(min=1, help="Requests served together.")] = 1,
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
    edition: Annotated[
        str, typer.Option(help="Phone charge: epa-current, epa-2019, epa-2024-01, iea-2025.")
    ] = "epa-current",
    backend: Annotated[str | None, typer.Option(help="Instead of the one for the task.")] = None,
    meter: Annotated[str | None, typer.Option(help="This meter alone, e.g. replay:F.csv.")] = None,
    cpu_tdp: Annotated[
        float | None, typer.Option(min=0.1, help="The CPU's TDP in watts, for modelled energy.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a task on one model or several, one after the other."""
    from bench import run as room

    models = model or ["embedded/small"]
    if len(models) > 1:
        raise typer.Exit(_each_in_its_own_process(models))
    if strict and (quick or max_inferences):
        stop("--strict does not go with --quick or --max-inferences")
    asked = room.Asked(
        task=task,
        out=out or room.default_out(),
        model=models[0],
        weights=weights.value,
        dataset=dataset,
        device=device,
        dtype=dtype.value,
        batch_size=batch_size,
        revision=revision,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
        budget_seconds=budget,
        profile="quick" if quick else "strict" if strict else "standard",
        max_inferences=max_inferences,
        backend=backend,
        meter=meter,
        options={} if cpu_tdp is None else {"cpu_tdp_watts": str(cpu_tdp)},
    )
    raise typer.Exit(_measure(asked, edition, as_json))


@app.command()
def tasks(as_json: Json = False) -> None:
    """List the tasks."""
    from bench import find

    found = [
        {"id": name, "tag": find.tag(name), "title": find.headline("task", name)}
        for name in find.names("task")
    ]
    if as_json:
        print(json.dumps(found))
        return
    for item in found:
        print(f"{item['id']:<22} {item['title']}")


@app.command()
def show(
    result: Annotated[Path, typer.Argument(help="A result file.")],
    edition: Annotated[str, typer.Option(help="Edition of the phone charge.")] = "epa-current",
    as_json: Json = False,
) -> None:
    """Show the summary of a result file again."""
    from bench import store
    from bench.footprint import equivalences

    or_stop(lambda: equivalences.phone_charge(edition))
    loaded = or_stop(lambda: store.load(result))
    if as_json:
        print(store.to_json(loaded))
    else:
        _summary(loaded, result, edition, sys.stdout)


@app.command()
def submit(
    result: Annotated[Path, typer.Argument(help="A result file.")],
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Check a result and add it to the leaderboard's submissions."""
    from bench import leaderboard

    if not result.is_file():
        stop(f"there is no file {result}")
    try:
        path = leaderboard.submit(result, results / "submissions")
    except leaderboard.Refused as error:
        if as_json:
            print(json.dumps({"refused": list(error.reasons)}))
        for reason in error.reasons:
            say(f"refused: {reason}")
        raise typer.Exit(REFUSED) from None
    except OSError as error:
        stop(f"the submission can't be saved: {error}")
    print(json.dumps({"submission": str(path)}) if as_json else f"submitted: {path}")


@app.command()
def board(results: Results = Path("results"), as_json: Json = False) -> None:
    """Write the leaderboard (json, csv, md, page) from the submissions."""
    from bench import leaderboard

    collection = leaderboard.collect(results / "submissions")
    for path, reasons in collection.refused.items():
        say(f"left out {path}: {'; '.join(reasons)}")
    written = or_stop(lambda: leaderboard.write(leaderboard.board(collection.results), results))
    if as_json:
        print(json.dumps([str(path) for path in written]))
    else:
        print("\n".join(f"wrote {path}" for path in written))


@app.command()
def plots(results: Results = Path("results"), as_json: Json = False) -> None:
    """Draw the comparison plots (PNG and SVG) from the submissions."""
    from bench import leaderboard
    from bench import plots as room

    collection = leaderboard.collect(results / "submissions")
    written = or_stop(lambda: room.draw_all(collection.results, results / "plots"))
    if as_json:
        print(json.dumps([str(path) for path in written]))
    else:
        print("\n".join(f"wrote {path}" for path in written))


@app.command()
def doctor(
    device: Annotated[str, typer.Option(help="auto, cpu, or cuda:N.")] = "auto",
    as_json: Json = False,
) -> None:
    """Say which sensors this machine has, which are missing, and how to cure that."""
    from bench import machine
    from bench import run as room
    from bench.clock import SystemClock
    from bench.meters import Site

    described = or_stop(lambda: machine.describe(device))
    _, sensors = room.open_meters(None, Site(SystemClock(), described.devices))
    described = described.model_copy(update={"sensors": sensors})
    if as_json:
        print(described.model_dump_json())
        return
    from rich.console import Console

    from bench import doctor as ward

    ward.show(described, Console(highlight=False))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a result."""
    from bench import store

    print(json.dumps(store.schema(), indent=1))


def main() -> None:
    """Entry point of the command."""
    app()


def _measure(asked: Asked, edition: str, as_json: bool) -> int:
    """Run once and show it; gives the exit code."""
    from bench import run as room
    from bench.footprint import equivalences

    room.be_quiet()
    or_stop(lambda: equivalences.phone_charge(edition))
    progress = Progress(sys.stderr)
    result, path = or_stop(lambda: room.run(asked, progress))
    progress.clear()
    picture = or_none(lambda: _picture(result, path))
    if as_json:
        from bench import store

        print(store.to_json(result), flush=True)
    _summary(result, path, edition, sys.stderr if as_json else sys.stdout)
    if picture:
        say(f"  plot   {picture}\n")
    return {"done": 0, "failed": FAILED, "interrupted": INTERRUPTED}[result.status]


def _picture(result: Result, path: Path) -> Path | None:
    """Draw the trials of a run beside its file; None where there is nothing to draw."""
    if result.summary is None or result.summary.energy_kwh_per_1000 is None:
        return None
    import bench.plots.run as figure
    from bench import plots as room

    return room.save(figure.draw([result]), path.parent, path.stem)[0]


def _summary(result: Result, path: Path, edition: str, stream: Any) -> None:
    from rich.console import Console

    from bench import report

    report.show(result, path, Console(file=stream, highlight=False), edition, _next(path))


def _next(path: Path) -> str:
    """The next command, as the reader would type it here."""
    if Path("Makefile").is_file() and Path("bench/cli.py").is_file():
        return f"make submit RESULT={path} && make board plots"
    return f"joulebench submit {path} && joulebench board"


def _each_in_its_own_process(models: list[str]) -> int:
    """Run the same command once a model; gives the first exit code that is not 0."""
    words = [word for word in sys.argv[1:] if not word.startswith("--model=")]
    while "--model" in words:
        at = words.index("--model")
        del words[at : at + 2]
    codes = []
    for model in models:
        # -P: a folder named bench where the user stands is not ours.
        command = [sys.executable, "-P", "-m", "bench", *words, "--model", model]
        process = subprocess.Popen(command)
        try:
            codes.append(process.wait())
        except KeyboardInterrupt:
            # The terminal told the run too: it saves its finished trials, and says so.
            codes.append(process.wait())
        if codes[-1] == INTERRUPTED:
            break
    return next((code for code in codes if code), 0)
