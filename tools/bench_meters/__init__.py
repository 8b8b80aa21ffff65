"""`make bench-meters`: our GPU meter compared with other tools, on a simulated driver."""
