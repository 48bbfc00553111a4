"""Images -> TIFF files: pixels laid into them as they are, or encoded pages."""
