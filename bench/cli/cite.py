"""`joulebench cite`: the citation of a result in one line."""

from __future__ import annotations

from bench.cli._io import print_json
from bench.cli._options import Json, ResultFile

PANEL = "Share"


def command(result: ResultFile, as_json: Json = False) -> None:
    """Print the citation of a result in one line."""
    from bench.reports import citation
    from bench.results import storage

    line = citation.citation(storage.load_result(result))
    print_json({"citation": line}) if as_json else print(line)
