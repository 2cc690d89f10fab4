"""The embedded engine: one SQLite file, a journal, one thread that writes."""
