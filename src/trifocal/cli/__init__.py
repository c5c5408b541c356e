"""The command `trifocal`: one thin file per verb; each reads settings, calls a stage, writes, and exits."""

from trifocal.cli.app import main

__all__ = ["main"]
