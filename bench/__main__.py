"""`python -m bench` is `joulebench`."""

from bench.cli import main

main()
