"""Layouts that fit the size of a file."""
