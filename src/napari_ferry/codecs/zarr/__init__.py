"""Zarr and OME-Zarr: chunked arrays in the files of a folder or a ZIP file."""
