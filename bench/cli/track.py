"""`track`: measures a program. Before the program starts it imports typer and the tracker alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from bench.cli._errors import BAD_INPUT, exit_on_error, exit_with_error, log
from bench.tracker.spawn import TrackConfig
from bench.tracker.supervise import supervise

if TYPE_CHECKING:
    from bench.cli._progress import ProgramProgress
    from bench.tracker.program_record import ProgramRecord

PANEL = "Measure"
DEFAULT_EDITION = "epa-current"


class TrackCommand(TyperCommand):
    """Converts option values itself: typer imports pydantic for that, which delays the program."""

    allow_interspersed_args = False  # options after the program's name belong to the program

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        values, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        if "help" in values:
            return super().parse_args(ctx, args)
        for option in self.params:
            name = str(option.name)
            if name in values:
                ctx.params[name] = _convert(name, values[name])
            else:
                ctx.params[name] = option.get_default(ctx)
        return rest


COMMAND_CLASS = TrackCommand


def _convert(name: str, value: Any) -> Any:
    """The value of an option. Raises BadParameter where a number is expected and `value` is not."""
    if name in ("csv", "out"):
        return Path(value)
    if name not in ("pue", "cpu_tdp"):
        return value
    try:
        return float(value)
    except ValueError:
        option = name.replace("_", "-")
        raise typer.BadParameter(f"--{option} needs a number, not {value!r}") from None


def command(
    program: Annotated[
        list[str] | None, typer.Argument(help="The program with its arguments, after --.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Where it runs: FR, US-WV, CA-QC, aws:eu-west-3.")
    ] = None,
    pue: Annotated[
        float | None, typer.Option(help="Power usage effectiveness of the building, 1 or more.")
    ] = None,
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
    edition: Annotated[
        str, typer.Option(help="Phone charge: epa-current, epa-2019, epa-2024-01, iea-2025.")
    ] = DEFAULT_EDITION,
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
        exit_with_error("which program? For example: joulebench track -- python train.py")
    exit_on_error(lambda: _check_values(pue, cpu_tdp, edition, csv))
    config = TrackConfig(
        command=program,
        name=(name or _program_name(program))[:300],
        out=out,
        device=device,
        region=exit_on_error(lambda: _region_key(region)),
        pue=pue,
        options={} if cpu_tdp is None else {"cpu_tdp_watts": str(cpu_tdp)},
    )
    progress = _Progress(quiet)
    outcome = exit_on_error(lambda: supervise(config, progress, preload=_import_summary))
    progress.clear()
    if outcome.record is None:
        log(f"joulebench: {outcome.failure}")
        raise typer.Exit(outcome.exit_code)
    _print_record(outcome.record, outcome.failure or f"saved  {outcome.path}", edition, as_json)
    added = csv is None or _append_row(outcome.record, csv)
    raise typer.Exit(outcome.exit_code if added else BAD_INPUT)


def _import_summary() -> None:
    from bench.reports import program_summary  # noqa: F401


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


def _region_key(region: str | None) -> str | None:
    if region is None:
        return None
    from bench.impact import regions

    return regions.find(region).key


def _program_name(program: Sequence[str]) -> str:
    """The program's file, or an interpreter's script; other arguments may hold secrets."""
    first = Path(program[0]).name
    script = Path(program[1]).name if len(program) > 1 else ""
    return script if Path(script).suffix in (".py", ".sh", ".R", ".js") else first


class _Progress:
    """Shows progress on standard error; imports what it needs while the program runs."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._progress: ProgramProgress | None = None

    def __call__(self, record: ProgramRecord) -> None:
        if self._quiet:
            return
        from bench.cli._progress import ProgramProgress

        self._progress = self._progress or ProgramProgress(sys.stderr)
        self._progress(record)

    def clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()


def _print_record(record: ProgramRecord, saved: str, edition: str, as_json: bool) -> None:
    """The record on standard output where `as_json`, its summary on standard error."""
    import json

    from rich.console import Console

    from bench.reports.program_summary import print_program
    from bench.tracker.program_record import record_with_impact

    if as_json:
        print(json.dumps(record_with_impact(record, edition)), flush=True)
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
