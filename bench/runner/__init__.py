"""From a `RunConfig` to a saved record: protocol, windows, warm-up, trials, recorder."""
