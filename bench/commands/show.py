"""`joulebench show`: the summary of a result file, again."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bench.commands import _meaning
from bench.commands._options import Edition, Json, RegionName, ResultFile
from bench.commands._summary import print_summary
from bench.exits import or_stop, stop

PANEL = "Understand"


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
    from bench import store
    from bench.footprint import equivalences as room

    or_stop(lambda: room.phone_charge(edition))
    if region and not equivalences:
        stop("--region goes with --equivalences; `joulebench where` compares regions")
    loaded = or_stop(lambda: store.load(result))
    if equivalences:
        or_stop(lambda: _meaning.show(loaded, region, as_json))
    elif as_json:
        print(store.to_json(loaded))
    else:
        print_summary(loaded, result, edition, sys.stdout)
