"""The dock widget *Repair binary metadata*, and the parts that it is made of."""
