"""Headers of other programs: descriptions of the samples in a raw file."""
