"""Measurements of the bytes of a file that reveal its layout."""
