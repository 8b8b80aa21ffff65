"""`joulebench export`: results in the forms of other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli._io import log, read_bytes
from bench.cli._options import Pue, RegionName

PANEL = "Share"


def command(
    form: Annotated[str, typer.Argument(help="csv, codecarbon, model-card, sci, boamps …")],
    results: Annotated[list[Path] | None, typer.Argument(help="Result files.")] = None,
    out: Annotated[Path | None, typer.Option(help="A file; by default standard output.")] = None,
    region: RegionName = None,
    pue: Pue = None,
    embodied_kg: Annotated[
        float | None, typer.Option(help="CO2e of making the machine, where no table has it (sci).")
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="A model card (README.md) to extend; its content stays.")
    ] = None,
) -> None:
    """Write results in another form: CodeCarbon, model card, SCI, BoAmps, OpenTelemetry, csv."""
    from bench.impact import regions
    from bench.reports import exporters
    from bench.results import storage
    from bench.system import registry

    registry.load("exporter", form)
    if not results:
        raise ValueError("name at least one result file")
    options = exporters.ExportOptions(
        region=regions.find(region) if region else None,
        pue=pue,
        embodied_kg=embodied_kg,
        base=read_bytes(card) if card else None,
    )
    records = [storage.load_result(path) for path in results]
    data = exporters.export(form, records, options)
    if out is None:
        sys.stdout.buffer.write(data)
        return
    try:
        storage.write_text(out, data.decode())
    except OSError as error:
        raise ValueError(f"{out} cannot be written: {error.strerror or error}") from error
    log(f"wrote {out}")
