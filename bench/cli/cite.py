"""`joulebench cite`: a result as one line for a text."""

from __future__ import annotations

import json

from bench.cli._errors import exit_on_error
from bench.cli._options import Json, ResultFile

PANEL = "Share"


def command(result: ResultFile, as_json: Json = False) -> None:
    """Print the citation of a result, one line."""
    from bench.reports import citation
    from bench.results import storage

    line = exit_on_error(lambda: citation.citation(storage.load_result(result)))
    print(json.dumps({"citation": line}, ensure_ascii=False) if as_json else line)
