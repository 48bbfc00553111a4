"""Candidate layouts for the size of a file."""
