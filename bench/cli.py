"""The door: `joulebench …`. Reads words, calls the room that does the work, sets the exit code.

Exit codes: 0 done; 2 bad input; 3 the run failed, recorded as a result; 4 a submission was refused;
130 interrupted, finished trials saved. Each file in `bench/commands` is a command.
"""

from __future__ import annotations

import sys

PANELS = ("Measure", "Understand", "Share")


def main() -> None:
    """Entry point of the command."""
    if sys.argv[1:2] == ["track"]:
        # A tracked program waits for us: it has a door of its own, which opens faster.
        from bench.tracker import door

        raise SystemExit(door.main(sys.argv[2:]))
    _all_commands()


def _all_commands() -> None:
    import typer

    from bench.system import registry

    app = typer.Typer(
        name="joulebench",
        help="Measure what inference costs in energy: with an interval, a boundary, and a meaning.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    modules = {name: registry.load("command", name) for name in registry.names("command")}
    for name in sorted(modules, key=lambda name: PANELS.index(modules[name].PANEL)):
        app.command(name, rich_help_panel=modules[name].PANEL)(modules[name].command)
    app()
