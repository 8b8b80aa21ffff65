"""bench.runner"""
