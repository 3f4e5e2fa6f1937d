"""The stages in a row: what happens to one session, and what would happen to it."""
