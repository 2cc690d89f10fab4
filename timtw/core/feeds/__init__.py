"""What a connection reads: logs, windows, acknowledgements, rooms."""
