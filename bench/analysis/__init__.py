"""Several results together: ablations, comparisons, published figures of the same model."""
