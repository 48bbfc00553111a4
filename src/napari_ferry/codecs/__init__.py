"""Formats: one package each, independent of the others."""
