"""Generator of docs/claims.md and its plots from the recomputed claims."""
