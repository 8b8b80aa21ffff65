"""`joulebench tasks`: list the tasks."""

from __future__ import annotations

import json

from bench.cli._options import Json

PANEL = "Measure"


def command(as_json: Json = False) -> None:
    """List the tasks."""
    from bench.system import registry

    found = [
        {
            "id": name,
            "tag": registry.task_tag(name),
            "title": registry.first_docstring_line("task", name),
        }
        for name in registry.names("task")
    ]
    if as_json:
        print(json.dumps(found))
        return
    for item in found:
        print(f"{item['id']:<22} {item['title']}")
