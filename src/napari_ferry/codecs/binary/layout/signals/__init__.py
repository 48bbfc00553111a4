"""Measurements of the bytes of a file."""
