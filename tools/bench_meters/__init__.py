"""`make bench-meters`: our GPU meter beside the tools that people use, on a simulated driver."""
