"""Probes: what a shopper would do at each place of real conversations, held against what the person did there."""
