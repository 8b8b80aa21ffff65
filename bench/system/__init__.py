"""bench.system"""
