"""Layouts of the size of a file."""
