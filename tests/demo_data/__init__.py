"""The demo: data that the project made, and the tour that uses it."""
