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
    form: Annotated[
        str,
        typer.Argument(
            help="ai-energy-score, boamps, codecarbon, csv, model-card, opentelemetry or sci."
        ),
    ],
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
    co2_eq_emissions: Annotated[
        bool,
        typer.Option(
            "--co2-eq-emissions",
            help="Add this field to a model card; the hub's filters read it as training.",
        ),
    ] = False,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the report, as you choose it (boamps).")
    ] = None,
) -> None:
    """Write results in another form: CodeCarbon, model card, SCI, BoAmps, OpenTelemetry, csv.

    Each form states the range of its energy with calibration uncertainty.
    """
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
        co2_eq_emissions=co2_eq_emissions,
        licence=licence,
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
