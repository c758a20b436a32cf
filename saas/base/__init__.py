"""The ground everything stands on: money, errors, ids, clock, settings and the database. Imports nothing of ours."""
