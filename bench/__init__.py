"""JouleBench: what one inference costs, how sure we are, and what was inside the boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.results.versions import __version__

if TYPE_CHECKING:
    from bench.tracker.code_block import track

__all__ = ["__version__", "track"]


def __getattr__(name: str) -> Any:
    """`track` is looked up when it is asked for, so that the package itself imports at once."""
    if name == "track":
        from bench.tracker.code_block import track

        return track
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
