"""Images -> TIFF files with uncompressed or encoded pages."""
