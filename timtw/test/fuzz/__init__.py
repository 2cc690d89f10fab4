"""Fuzzing: what reads the bytes of clients is given bytes that nobody would send.

``python -m timtw.test.fuzz`` runs it, ``make fuzz`` as well; CONTRIBUTING.md says how.
"""
