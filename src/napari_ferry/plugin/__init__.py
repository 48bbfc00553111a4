"""Commands for napari, and the state of its viewer."""
