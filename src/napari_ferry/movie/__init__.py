"""Images as frames that play."""
