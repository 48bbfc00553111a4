"""The pages of TIFF files: found by their directories, read one at a time, by tile, or mapped."""
