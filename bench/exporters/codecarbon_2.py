"""CodeCarbon's emissions.csv in the 31 columns of CodeCarbon 2, for older dashboards."""

from __future__ import annotations

from collections.abc import Sequence

from bench.exporters import Options, codecarbon
from bench.exporters._figures import with_energy
from bench.results.record import Result

SUFFIX = codecarbon.SUFFIX
read = codecarbon.read


def export(results: Sequence[Result], options: Options) -> bytes:
    """One row a result, over its measured trials."""
    rows = (codecarbon.row(codecarbon.job(f, options)) for f in with_energy(list(results)))
    return codecarbon.write(rows, codecarbon.OLD_COLUMNS)
