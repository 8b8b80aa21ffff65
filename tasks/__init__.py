"""Tasks: one standardised workload a file, found by its name."""
