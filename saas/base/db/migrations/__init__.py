"""Migrations, in order; each written and reviewed by hand for both databases."""
