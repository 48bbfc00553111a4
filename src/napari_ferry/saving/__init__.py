"""Saves that have not happened yet, and the one place that carries them out."""
