"""TIFF files: reading of pages, series and folders, and writing of headers and pages."""
