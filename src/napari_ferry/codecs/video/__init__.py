"""What video files are made of."""
