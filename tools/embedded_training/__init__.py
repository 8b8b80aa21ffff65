"""Training scripts of the embedded models and requests, from raw data to model cards."""
