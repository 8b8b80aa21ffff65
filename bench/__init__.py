"""JouleBench: the energy of one inference, with its uncertainty and its boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.results.versions import __version__

if TYPE_CHECKING:
    from bench.runner.config import RunConfig
    from bench.runner.run import run
    from bench.tracker.code_block import track

__all__ = ["RunConfig", "__version__", "run", "track"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that the package itself imports at once."""
    if name == "track":
        from bench.tracker.code_block import track

        return track
    if name == "RunConfig":
        from bench.runner.config import RunConfig

        return RunConfig
    if name == "run":
        from bench.runner.run import run

        return run
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
