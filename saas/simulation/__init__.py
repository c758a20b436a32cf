"""History under other rules: what a draft would have paid, and proof that what was paid follows from the rules."""
