"""Command line `joulebench COMMAND`: one file a command, with its function `command` and `PANEL`.

Exit codes: 0 done; 2 bad input; 3 the run failed, recorded as a result; 4 a submission was refused;
130 interrupted, finished trials saved. Only the named command is imported; `--help` reads the
summaries of the others from their source text. A command imports its work inside its function.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer.core import TyperCommand

PANELS = ("Measure", "Understand", "Share")
HELP = "Measure the energy of inference, with its interval, its boundary and equivalences."


def main() -> None:
    """Entry point of the command `joulebench`. Ends the process with the exit code."""
    if sys.argv[1:2] == ["track"]:
        # A tracked program waits until the tracker has started, so typer is not imported.
        from bench.cli import track

        raise SystemExit(track.main(sys.argv[2:]))

    from typer.core import TyperGroup

    from bench.system import registry

    named, names = " ".join(sys.argv[1:2]), registry.names("command")
    if named in names:
        commands = [_load_command(named)]
    else:
        order = {panel: index for index, panel in enumerate(PANELS)}
        commands = [_summarize_command(name) for name in names]
        commands.sort(key=lambda command: order.get(command.rich_help_panel or "", len(order)))
    TyperGroup(
        name="joulebench",
        commands=commands,
        help=HELP,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )(prog_name="joulebench")


def _load_command(name: str) -> TyperCommand:
    import typer
    from typer.main import get_command

    from bench.system import registry

    app = typer.Typer(add_completion=False)
    app.command(name)(registry.load("command", name).command)
    return get_command(app)  # type: ignore[return-value]


def _summarize_command(name: str) -> TyperCommand:
    """A command with the panel and the summary that `--help` shows, read from its source text."""
    from typer.core import TyperCommand

    from bench.system import registry

    text = registry.source_text("command", name)
    panel = re.search(r'^PANEL = "(.+)"', text, re.MULTILINE)
    summary = re.search(r'^def command\(.*?^    """(.+?)(?:"""|$)', text, re.DOTALL | re.MULTILINE)
    return TyperCommand(
        name,
        help=summary.group(1) if summary else "",
        rich_help_panel=panel.group(1) if panel else None,
    )
