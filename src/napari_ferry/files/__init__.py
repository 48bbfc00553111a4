"""Names of files, links between them, and their formats, regardless of their content."""
