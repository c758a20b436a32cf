"""Bringing in what a brand recorded elsewhere."""
