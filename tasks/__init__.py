"""The garden: one standardised workload a file, found by file name."""
