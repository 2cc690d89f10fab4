"""What exists, what a client may ask, what it is told; known to all, knows nobody."""
