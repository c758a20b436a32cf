"""Performance (业绩): what distributors sold in a calendar period, and what that brings them when it is closed."""
