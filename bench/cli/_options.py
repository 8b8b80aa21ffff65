"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One line of JSON a result on standard output.")]
Results = Annotated[Path, typer.Option(help="The folder of results.")]
Edition = Annotated[
    str, typer.Option(help="Phone charge: epa-current, epa-2019, epa-2024-01, iea-2025.")
]
DeviceName = Annotated[str, typer.Option(help="auto, cpu, cuda:N, or cuda:N,cuda:M for one model.")]
RegionName = Annotated[
    str | None, typer.Option("--region", help="Where: FR, US-WV, CA-QC, aws:eu-west-3, world.")
]
Pue = Annotated[
    float | None, typer.Option(min=1.0, help="Power usage effectiveness of the place; 1 is none.")
]
ResultFile = Annotated[Path, typer.Argument(help="A result file.")]
