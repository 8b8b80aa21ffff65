"""What only a real GPU can tell: `python -m tools.gpu_check sensor|battery --out DIR`.

`sensor` says how the energy sensor of each card behaves and what our own meters cost; `battery`
runs the published workloads with random weights and puts them beside published figures. Each takes
at most eight minutes, needs no network, and writes one JSON and one Markdown record.
"""
