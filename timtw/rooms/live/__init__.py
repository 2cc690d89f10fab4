"""Virtual rooms, streams and parcels: what is passed on and kept by nobody.

``live.py`` has the rooms of a node, ``seat.py`` is one connection among them.
"""
