"""`joulebench show`: the summary of a result file, again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands import _meaning
from bench.commands._options import Edition, Json, RegionName, ResultFile
from bench.exits import or_stop, stop
from bench.reports.terminal import print_summary

if TYPE_CHECKING:
    from bench.tracker.program_record import ProgramRecord

PANEL = "Understand"


def _track(path: Path) -> ProgramRecord | None:
    """The record of a tracked program, where it is one."""
    from bench.tracker import program_record

    return program_record.load(path)


def _show_track(track: ProgramRecord, path: Path, edition: str, as_json: bool) -> None:
    """Print what `joulebench track` said of a program, or the last it knew before it was killed."""
    from rich.console import Console

    from bench.reports import program_summary
    from bench.tracker import program_record

    if as_json:
        print(json.dumps(program_record.document(track, edition)))
    else:
        program_summary.print_program(track, Console(highlight=False), edition, f"saved  {path}")


def command(
    result: ResultFile,
    edition: Edition = "epa-current",
    equivalences: Annotated[
        bool, typer.Option("--equivalences", help="What 1,000 inferences compare to, instead.")
    ] = False,
    region: RegionName = None,
    as_json: Json = False,
) -> None:
    """Show the summary of a result file again, or what it compares to."""
    from bench.impact import equivalences as room
    from bench.results import storage

    or_stop(lambda: room.phone_charge(edition))
    if region and not equivalences:
        stop("--region goes with --equivalences; `joulebench where` compares regions")
    tracked = or_stop(lambda: _track(result))
    if tracked is not None:
        _show_track(tracked, result, edition, as_json)
        return
    loaded = or_stop(lambda: storage.load_result(result))
    if equivalences:
        or_stop(lambda: _meaning.show(loaded, region, as_json))
    elif as_json:
        print(storage.to_json(loaded))
    else:
        print_summary(loaded, result, edition, sys.stdout)
