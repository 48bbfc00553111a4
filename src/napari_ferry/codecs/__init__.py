"""Formats: one package each, which knows no other."""
