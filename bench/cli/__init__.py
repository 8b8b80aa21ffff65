"""Command line: `joulebench COMMAND`. One file a command: `command` its function, `PANEL` its group.

Exit codes: 0 done; 2 bad input; 3 the run failed, recorded as a result; 4 a submission was refused;
130 interrupted, finished trials saved. Only the named command is imported; `--help` lists the
others from their source text. A command imports its work inside its function.
"""

from __future__ import annotations

import re
import sys

PANELS = ("Measure", "Understand", "Share")


def main() -> None:
    """Entry point of the command `joulebench`."""
    if sys.argv[1:2] == ["track"]:
        # A tracked program waits until the tracker has started, so typer is not imported.
        from bench.cli import track

        raise SystemExit(track.main(sys.argv[2:]))
    _run_typer()


def _run_typer() -> None:
    import typer
    from typer.core import TyperCommand, TyperGroup
    from typer.main import get_command

    from bench.system import registry

    def summary(name: str) -> TyperCommand:
        """A command as `--help` lists it, read from its source text."""
        text = registry.source_text("command", name)
        panel = re.search(r'^PANEL = "(.+)"', text, re.MULTILINE)
        first = re.search(
            r'^def command\(.*?^    """(.+?)(?:"""|$)', text, re.DOTALL | re.MULTILINE
        )
        return TyperCommand(
            name,
            help=first.group(1) if first else "",
            rich_help_panel=panel.group(1) if panel else "",
        )

    class Commands(TyperGroup):
        """All commands by file name; only the one that is called is imported."""

        def list_commands(self, ctx: object) -> list[str]:
            panel = {name: summary(name).rich_help_panel for name in registry.names("command")}
            return sorted(panel, key=lambda name: (*PANELS, panel[name]).index(panel[name]))

        def get_command(self, ctx: object, name: str) -> TyperCommand | None:
            if name not in registry.names("command"):
                return None
            if sys.argv[1:2] != [name]:
                return summary(name)
            one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            one.command(name)(registry.load("command", name).command)
            return get_command(one)  # type: ignore[return-value]

    app = typer.Typer(
        cls=Commands,
        name="joulebench",
        help="Measure what inference costs in energy: with an interval, a boundary, and a meaning.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root() -> None:
        """Options of all commands: none."""

    app()
