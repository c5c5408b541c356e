"""Variants in the running server, guard rails that stop one, and a place in the list that is left to chance."""
