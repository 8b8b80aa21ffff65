"""`track`: typer options; imports `tracker.supervise` alone before the start."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.tracker.spawn import TrackConfig
from bench.tracker.supervise import supervise

if TYPE_CHECKING:
    from bench.cli._progress import Progress
    from bench.tracker.program_record import ProgramRecord

PANEL = "Measure"


def command(
    program: Annotated[list[str], typer.Argument(help="A program with its arguments.")],
) -> None:
    """Run a program and say what it drew: joulebench track -- python train.py"""
    # `bench.cli` opens this door itself, before it has read what the other commands need.

    raise typer.Exit(main(program))


BAD_INPUT = 2
DEFAULT_EDITION = "epa-current"
EPILOG = """The exit code is the program's own, or 128 + the number of the signal that ended it.
The record is saved while the program runs: what was measured till then survives every crash."""


def main(words: Sequence[str]) -> int:
    """Run a program under the sensors of this machine and say what it drew; gives the exit code."""
    asked = _parser().parse_args(words)
    show = _Show(asked.quiet)
    try:
        followed = supervise(_checked(asked), show, preload=_import_summary)
    except OSError as error:
        return _refuse(f"the record can't be saved ({error.filename}): {error.strerror}")
    except ValueError as error:
        return _refuse(str(error))
    show.clear()
    if followed.track is None:
        _refuse(followed.failure or "there is no record")
        return followed.exit_code
    _report(followed.track, followed.failure or f"saved  {followed.path}", asked)
    return followed.exit_code if _exported(followed.track, asked.csv) else BAD_INPUT


def _import_summary() -> None:
    from bench.reports import program_summary  # noqa: F401


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="joulebench track",
        usage="joulebench track [OPTIONS] -- PROGRAM [ARGUMENT …]",
        description="Run a program, and say what it drew and what that means.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("program", nargs=argparse.REMAINDER, help="a program with its arguments")
    add("--region", help="where it runs: FR, US-WV, CA-QC, aws:eu-west-3")
    add("--pue", type=float, help="power usage effectiveness of the building, 1 or more")
    add("--device", default="all", help="all (the default), auto, cpu, or cuda:N[,cuda:M]")
    add("--name", help="what the record calls it; otherwise the program's file")
    add("--csv", type=Path, help="add a row to this file, in CodeCarbon's 38 columns")
    add("--out", type=Path, default=Path("results/tracks"), help="folder of the records")
    add("--cpu-tdp", type=float, help="the CPU's TDP in watts, for modelled energy")
    add("--edition", default=DEFAULT_EDITION, help="of the phone charge: epa-2019, iea-2025 …")
    add("--quiet", action="store_true", help="show no progress while it runs")
    add("--json", action="store_true", help="the record as the last line of standard output")
    return parser


def _checked(words: argparse.Namespace) -> TrackConfig:
    """What was asked for. Raises ValueError with one sentence where it makes no sense."""
    program = words.program[1:] if words.program[:1] == ["--"] else words.program
    if not program:
        raise ValueError("which program? For example: joulebench track -- python train.py")
    if words.pue is not None and not 1 <= words.pue < 100:
        raise ValueError(
            f"a PUE of {words.pue:g} can't be: it is what a building draws over what its computers "
            "draw, 1 or more"
        )
    if words.cpu_tdp is not None and not 0 < words.cpu_tdp < 10_000:
        raise ValueError(f"a CPU's TDP of {words.cpu_tdp:g} W can't be")
    if words.edition != DEFAULT_EDITION:
        from bench.impact import equivalences

        equivalences.phone_charge(words.edition)
    if words.csv is not None:
        from bench.reports.exporters.codecarbon import existing_columns

        existing_columns(words.csv)
    region = None
    if words.region is not None:
        from bench.impact import regions

        region = regions.find(words.region).key
    return TrackConfig(
        command=program,
        name=(words.name or _name(program))[:300],
        out=words.out,
        device=words.device,
        region=region,
        pue=words.pue,
        options={} if words.cpu_tdp is None else {"cpu_tdp_watts": str(words.cpu_tdp)},
    )


def _name(program: Sequence[str]) -> str:
    """The program's file, or the script that an interpreter runs; other arguments may be secret."""
    first = Path(program[0]).name
    script = Path(program[1]).name if len(program) > 1 else ""
    return script if Path(script).suffix in (".py", ".sh", ".R", ".js") else first


class _Show:
    """Opens the room that shows progress when there is some, while the program runs."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._progress: Progress | None = None

    def __call__(self, track: ProgramRecord) -> None:
        from bench.cli._progress import Progress

        if not self._quiet:
            self._progress = self._progress or Progress(sys.stderr)
            self._progress(track)

    def clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()


def _report(track: ProgramRecord, where: str, asked: argparse.Namespace) -> None:
    """The record on standard output, the summary on standard error."""
    import json

    from rich.console import Console

    from bench.reports import program_summary
    from bench.tracker import program_record

    if asked.json:
        print(json.dumps(program_record.document(track, asked.edition)), flush=True)
    console = Console(file=sys.stderr, highlight=False)
    program_summary.print_program(track, console, asked.edition, where)


def _exported(track: ProgramRecord, path: Path | None) -> bool:
    """Add the row that was asked for, or say why not; the record is saved already."""
    if path is None:
        return True
    from bench.reports.exporters.codecarbon import append_program

    try:
        append_program(track, path)
    except (ValueError, OSError) as error:
        _refuse(f"no row was added to {path}: {error}")
        return False
    return True


def _refuse(sentence: str) -> int:
    print(f"joulebench: {sentence}", file=sys.stderr)
    return BAD_INPUT
