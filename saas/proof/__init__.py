"""Proof that the books hold: every named check of the house, and the chains that seal what is written once."""
