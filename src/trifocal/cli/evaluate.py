"""`trifocal evaluate`."""


def evaluate() -> None:
    """Not there yet."""
