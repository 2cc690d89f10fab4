"""What exists, what a client may ask, what it may be told: known to all, knows nobody."""
