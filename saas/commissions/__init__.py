"""Commission: who earns what on an order line, why, and what has become of it since."""
