"""The formats of other systems, one a file."""
