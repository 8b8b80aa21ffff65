"""`joulebench tasks`: list the tasks."""

from __future__ import annotations

from bench.cli._io import print_json
from bench.cli._options import Json

PANEL = "Measure"


def command(as_json: Json = False) -> None:
    """List the tasks."""
    from bench.system import registry

    titles = {name: registry.first_docstring_line("task", name) for name in registry.names("task")}
    if as_json:
        print_json(
            [{"id": n, "tag": registry.task_tag(n), "title": title} for n, title in titles.items()]
        )
    else:
        print("\n".join(f"{name:<22} {title}" for name, title in titles.items()))
