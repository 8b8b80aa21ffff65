"""Command line of the GPU check: `python -m tools.gpu_check sensor|battery --out DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(command_line: list[str] | None = None) -> int:
    """Run one part and print the paths of its records; 2 where this machine cannot run it."""
    arguments = _parser().parse_args(command_line)
    try:
        from bench.system.process import configure_environment

        configure_environment()
        from tools.gpu_check import parts
    except ModuleNotFoundError as missing:
        print(f"gpu-check: the package {missing.name} is not installed", file=sys.stderr)
        return 2
    try:
        paths = (
            parts.sensor(arguments.out) if arguments.part == "sensor" else parts.battery(arguments)
        )
    except (ValueError, TimeoutError) as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return 2
    print("\n".join(str(path) for path in paths))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_check", description=__doc__)
    parser.add_argument("part", choices=("sensor", "battery"))
    parser.add_argument(
        "--out", type=Path, default=Path("docs/notebook"), help="folder for the records"
    )
    parser.add_argument("--device", default="auto", help="battery: cpu, or cuda:N")
    parser.add_argument("--budget", default="450", help="battery: total seconds, or tiny")
    parser.add_argument("--models", help="battery: model names, separated by commas; default: all")
    return parser


if __name__ == "__main__":
    sys.exit(main())
