"""Layers loaded again from their files: on request, or while these grow."""
