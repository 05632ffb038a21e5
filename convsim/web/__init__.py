"""Pages that people use in a browser."""
