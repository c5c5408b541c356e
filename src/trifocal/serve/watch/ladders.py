"""Which variants step onto which ladder. Plain; knows no clock."""

from __future__ import annotations

from trifocal.serve.gateway import Gateway
from trifocal.serve.service import Service

__all__ = ["ladders"]


def ladders(service: Service) -> dict[str, tuple[Gateway, tuple[str, ...]]]:
    """Return name -> gateway and names of the variants, one for each entrance; the first is that of the bundle."""
    gateways = {service.config.variant: service.gateway, **service.variants}
    found: dict[int, list[str]] = {}
    for name, gateway in gateways.items():
        found.setdefault(id(gateway.entrance), []).append(name)
    return {names[0]: (gateways[names[0]], tuple(names)) for names in found.values()}
