"""Images of one TIFF file, written by any program."""
