"""Saves whose steps are carried out by the workers of a Dask cluster."""
