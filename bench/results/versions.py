"""Versions of the package, of the record's schema and of the analysis."""

from __future__ import annotations

from typing import Literal

__version__ = "0.1.0"
SCHEMA_VERSION: Literal[2] = 2

# Which statistics and warning rules computed a record's summary: see `analysis_versions`.
ANALYSIS_VERSION = 2
