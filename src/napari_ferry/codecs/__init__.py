"""Formats: one package each, independent of the others; their protocol, and the search for one."""
