"""The tests of timtw."""
