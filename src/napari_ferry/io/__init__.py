"""Opening of files: the codec protocol, the search for the codec of a path, and `imload`."""

from napari_ferry.io.load import Source, imload, open_stack

__all__ = ["Source", "imload", "open_stack"]
