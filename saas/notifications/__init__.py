"""What happened that somebody wants to know: written with the business it is about, and brought to people's inboxes."""
