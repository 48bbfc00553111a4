"""numpy in, numpy out."""
