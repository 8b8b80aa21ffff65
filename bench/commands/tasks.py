"""`joulebench tasks`: list the tasks."""

from __future__ import annotations

import json

from bench.commands._options import Json

PANEL = "Measure"


def command(as_json: Json = False) -> None:
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
