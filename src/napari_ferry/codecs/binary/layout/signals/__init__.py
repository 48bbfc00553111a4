"""What the bytes of a file show of its layout."""
