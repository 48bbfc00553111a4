"""Pages of TIFF files, read one at a time, by tile, or at regular offsets."""
