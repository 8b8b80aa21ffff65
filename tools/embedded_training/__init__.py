"""Training: the scripts that made the embedded models and requests, from raw data to cards."""
