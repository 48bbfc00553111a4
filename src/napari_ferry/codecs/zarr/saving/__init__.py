"""Saving of OME-Zarr: the geometry, the pixels and the documents of a new store."""
