"""``timtw check-loss``: seeded histories of many devices against a hindered node.

Nothing here uses the server's own codec, so that a fault of it cannot hide:
``frames`` and ``compact`` are small hand-made codecs, ``speech`` is what a client says
and hears, ``line`` and ``device`` are clients, ``nodes`` runs the real program,
``history`` draws what happens, ``judge`` says what was lost.
"""
