"""Every limit of the engine, each with its reason."""

MAX_SKIPPED_NESTING = 32
"""Containers inside one another in a Thrift field that is skipped.

The deepest value of the protocol itself has four (a page, its list, a message,
a device's map), so a future field has room, and hostile nesting has not.
"""
