"""bench.analysis"""
