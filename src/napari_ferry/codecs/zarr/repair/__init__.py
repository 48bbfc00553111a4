"""Repair of the metadata documents of a store; chunks are never changed."""
