"""Rooms: what accounts may do in them, and what follows from it."""
