"""bench.results"""
