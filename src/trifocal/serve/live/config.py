"""Settings of what changes while the service runs. Imports nothing of this stage."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LiveConfig"]


class LiveConfig(BaseModel):
    """Items that join, bundles that are swapped. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bundles: str = ""
    """Folder of the bundles that may be swapped in; empty = none."""
    history_file: str = ""
    """File that notes which bundles served; empty = beside the file of events of `trifocal serve`, else memory."""
    picture_bytes: int = Field(default=8_000_000, ge=1_000)
    """Largest picture file of an item."""
    picture_pixels: int = Field(default=40_000_000, ge=1)
    """Most pixels of such a picture: a small file may unpack to a great one."""
    picture_hosts: tuple[str, ...] = ()
    """Hosts that pictures may be fetched from by http or https; none = no picture is fetched."""
    picture_timeout_s: float = Field(default=5.0, gt=0)
    """How long a fetch may take."""
