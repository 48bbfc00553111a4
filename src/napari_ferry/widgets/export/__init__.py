"""The dock widgets *Export layers* and *Export movie*, and the parts that they are made of."""
