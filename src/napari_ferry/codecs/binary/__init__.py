"""Raw binary files with a JSON sidecar."""
