"""Checks on a real GPU: `python -m tools.gpu_check sensor|battery --out DIR`.

`sensor` characterises the energy sensor of each GPU and measures the overhead of our own meters;
`battery` runs the published workloads with random weights and compares them with the published
figures. Each takes at most eight minutes, needs no network, and writes one JSON and one Markdown
record.
"""
