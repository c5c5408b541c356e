"""`trifocal recommend`."""


def recommend() -> None:
    """Not there yet."""
