"""Images of several TIFF files: folders, partitions and size-capped series."""
