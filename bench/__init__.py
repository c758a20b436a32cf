"""Benchmarks: each measures the product as it is run, beside a hand-written ceiling that does the same work."""
