"""Version of the package, of the schema, of the analysis, of the board's schema."""

from __future__ import annotations

from typing import Literal

__version__ = "0.1.0"
SCHEMA_VERSION: Literal[2] = 2

# Which statistics and which warning rules computed a record's summary. Raised with every change of
# either; `statistics.summarize` still computes each version that was published.
ANALYSIS_VERSION = 1
