"""What happened, as a log that the people and systems it concerns can follow and take up again where they left off."""
