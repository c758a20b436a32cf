"""Webhooks: what happened, carried to a brand's other systems, signed, again and again until it was taken."""
