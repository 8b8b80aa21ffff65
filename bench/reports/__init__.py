"""bench.reports"""
