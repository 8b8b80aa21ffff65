"""`joulebench show`: the summary of a result file, again."""

from __future__ import annotations

import sys

from bench.commands._options import Edition, Json, ResultFile
from bench.commands._summary import print_summary
from bench.exits import or_stop

PANEL = "Understand"


def command(
    result: ResultFile,
    edition: Edition = "epa-current",
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
        print_summary(loaded, result, edition, sys.stdout)
