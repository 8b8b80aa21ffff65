"""bench.workloads"""
