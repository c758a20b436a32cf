"""The business: one folder per feature, each with models, rules, commands and queries."""
