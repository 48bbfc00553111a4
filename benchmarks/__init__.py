"""napari-ferry beside other libraries, in one table: ``python -m benchmarks``."""
