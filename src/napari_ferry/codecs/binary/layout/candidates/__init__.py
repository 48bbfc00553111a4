"""Layouts that a file may have."""
