"""JouleBench: what one inference costs, how sure we are, and what was inside the boundary."""

__version__ = "0.1.0"
