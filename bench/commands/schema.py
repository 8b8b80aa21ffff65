"""`joulebench schema`: the JSON Schema of a result."""

from __future__ import annotations

import json

PANEL = "Understand"


def command() -> None:
    """Print the JSON Schema of a result."""
    from bench import store

    print(json.dumps(store.schema(), indent=1))
