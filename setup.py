"""A shim for tools that ask for setup.py; everything is in setup.cfg."""

from setuptools import setup

setup()
