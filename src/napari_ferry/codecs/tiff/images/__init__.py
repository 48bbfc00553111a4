"""One TIFF file -> its images, whatever program wrote it."""
