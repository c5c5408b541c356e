"""`trifocal serve`."""


def serve() -> None:
    """Not there yet."""
