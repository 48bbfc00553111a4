"""Several TIFF files -> images: folders, partitions, size-capped series."""
