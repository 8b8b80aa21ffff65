"""Version of the package, of the schema, of the analysis, of the board's schema."""

from __future__ import annotations

from typing import Literal

__version__ = "0.1.0"


SCHEMA_VERSION: Literal[1] = 1
