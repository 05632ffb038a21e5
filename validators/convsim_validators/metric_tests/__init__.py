"""Holds both sides' values of metrics against each other, one by one and all together; several validators do."""
