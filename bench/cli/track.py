"""`track`: measures a program. Before the program starts it imports typer and the tracker alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from bench.cli._io import BAD_INPUT, log
from bench.cli._options import Edition, Pue, RegionName
from bench.tracker.spawn import TrackConfig
from bench.tracker.supervise import supervise

if TYPE_CHECKING:
    from bench.tracker.program_record import ProgramRecord

PANEL = "Measure"
DEFAULT_EDITION = "epa-current"
CONVERTERS: dict[str, Any] = {"csv": Path, "out": Path, "pue": float, "cpu_tdp": float}


class TrackCommand(TyperCommand):
    """Converts option values itself: typer imports pydantic for that, which delays the program."""

    allow_interspersed_args = False  # options after the program's name belong to the program

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        values, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        if "help" in values:
            return super().parse_args(ctx, args)
        ctx.params = {str(option.name): option.get_default(ctx) for option in self.params}
        for name, value in values.items():
            try:
                ctx.params[name] = CONVERTERS[name](value) if name in CONVERTERS else value
            except ValueError:
                option = name.replace("_", "-")
                raise typer.BadParameter(f"--{option} needs a number, not {value!r}") from None
        return rest


COMMAND_CLASS = TrackCommand


def command(
    program: Annotated[
        list[str] | None, typer.Argument(help="The program with its arguments, after --.")
    ] = None,
    region: RegionName = None,
    pue: Pue = None,
    device: Annotated[str, typer.Option(help="all, auto, cpu, or cuda:N[,cuda:M].")] = "all",
    name: Annotated[
        str | None, typer.Option(help="Name in the record; by default the program's file.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Add a row to this file, in CodeCarbon's 38 columns.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("results/tracks"),
    cpu_tdp: Annotated[
        float | None, typer.Option(help="The CPU's TDP in watts, for modelled energy.")
    ] = None,
    edition: Edition = DEFAULT_EDITION,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Show no progress while the program runs.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The record as the last line of standard output.")
    ] = False,
) -> None:
    """Run a program and show its energy: joulebench track -- python train.py

    The exit code is the program's own, or 128 + the number of the signal that ended it.

    The record is saved every few seconds, so that a crash loses little.
    """
    if not program:
        raise ValueError("which program? For example: joulebench track -- python train.py")
    _check_values(pue, cpu_tdp, edition, csv)
    if region is not None:
        from bench.impact import regions

        region = regions.find(region).key
    config = TrackConfig(
        command=program,
        name=(name or _program_name(program))[:300],
        out=out,
        device=device,
        region=region,
        pue=pue,
        options={} if cpu_tdp is None else {"cpu_tdp_watts": str(cpu_tdp)},
    )
    progress = _Progress(quiet)
    preload = partial(import_module, "bench.reports.program_summary")
    outcome = supervise(config, progress, preload)
    progress.clear()
    if outcome.record is None:
        log(f"joulebench: {outcome.failure}")
        raise typer.Exit(outcome.exit_code)
    _print_record(outcome.record, outcome.failure or f"saved  {outcome.path}", edition, as_json)
    added = csv is None or _append_row(outcome.record, csv)
    raise typer.Exit(outcome.exit_code if added else BAD_INPUT)


def _check_values(pue: float | None, cpu_tdp: float | None, edition: str, csv: Path | None) -> None:
    """Raise ValueError with one sentence where an option's value is impossible."""
    if pue is not None and not 1 <= pue < 100:
        raise ValueError(
            f"a PUE of {pue:g} is impossible: it is the power of a building divided by the power "
            "of its computers, 1 or more"
        )
    if cpu_tdp is not None and not 0 < cpu_tdp < 10_000:
        raise ValueError(f"a CPU's TDP of {cpu_tdp:g} W is impossible")
    if edition != DEFAULT_EDITION:
        from bench.impact import equivalences

        equivalences.phone_charge(edition)
    if csv is not None:
        from bench.reports.exporters.codecarbon import existing_columns

        existing_columns(csv)


def _program_name(program: Sequence[str]) -> str:
    """The program's file, or an interpreter's script; other arguments may hold secrets."""
    first = Path(program[0]).name
    script = Path(program[1]).name if len(program) > 1 else ""
    return script if Path(script).suffix in (".py", ".sh", ".R", ".js") else first


class _Progress:
    """One line about the program on a terminal's standard error, overwritten."""

    def __init__(self, quiet: bool) -> None:
        self._enabled = sys.stderr.isatty() and not quiet
        self._shown = False

    def __call__(self, record: ProgramRecord) -> None:
        """Show the energy so far; the cursor stays at the line's start for the program's output."""
        if self._enabled:
            from bench.reports.program_summary import energy_so_far

            print(f"\r\033[K· {energy_so_far(record)}", end="\r", file=sys.stderr, flush=True)
            self._shown = True

    def clear(self) -> None:
        """Erase the line."""
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _print_record(record: ProgramRecord, saved: str, edition: str, as_json: bool) -> None:
    """The record on standard output where `as_json`, its summary on standard error."""
    from rich.console import Console

    from bench.cli._io import print_json
    from bench.reports.program_summary import print_program
    from bench.tracker.program_record import record_with_impact

    if as_json:
        print_json(record_with_impact(record, edition))
    print_program(record, Console(file=sys.stderr, highlight=False), edition, saved)


def _append_row(record: ProgramRecord, path: Path) -> bool:
    """Add the csv row, or log why not: the record is saved already."""
    from bench.reports.exporters.codecarbon import append_program

    try:
        append_program(record, path)
    except (ValueError, OSError) as error:
        log(f"joulebench: no row was added to {path}: {error}")
        return False
    return True
