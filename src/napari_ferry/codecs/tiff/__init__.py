"""What is particular to TIFF: pages, series of pages, files and folders read, headers written."""
