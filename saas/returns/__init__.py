"""Goods that come back, what they take back of commission and sales, and debts that are written off."""
