"""Files and folders on the disk: space, locks, flushing, replacement and backups."""
