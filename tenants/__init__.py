"""Who is asking, and under which rules."""
