"""Lazy arrays, and nothing of their meaning."""
