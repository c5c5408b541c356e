"""A bundle -> answers: gateway, state, search, and the HTTP edge around them (`trifocal.serve.app`, extra `serve`)."""

from trifocal.serve.asks import Answer, Ask, Filters, ItemCard, Reason, ScoredItem, SessionEvent
from trifocal.serve.config import ServeConfig
from trifocal.serve.engines import Engine
from trifocal.serve.gateway import K_MAX, Gateway
from trifocal.serve.service import Service, build_service

__all__ = [
    "K_MAX",
    "Answer",
    "Ask",
    "Engine",
    "Filters",
    "Gateway",
    "ItemCard",
    "Reason",
    "ScoredItem",
    "ServeConfig",
    "Service",
    "SessionEvent",
    "build_service",
]
