"""Checks of a layout against the bytes at its borders."""
