"""Damage of a Zarr store, in words for its user."""

from __future__ import annotations


class DamageError(ValueError):
    """Metadata or chunks are impossible; the message is a part of a sentence for the user."""
