"""Steps of a save, carried out by threads or on a cluster."""
