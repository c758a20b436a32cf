"""The ledger beside statements and payouts, and the way of every cent through them."""
