"""Video files: packet index, frame decoding and encoding."""
