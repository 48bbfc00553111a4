"""Saving of images as TIFF files with uncompressed or encoded pages."""
