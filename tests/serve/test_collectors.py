from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest
from tests.serve.small_service import small_service

from trifocal.ports import CacheStats
from trifocal.serve.app import create_app
from trifocal.serve.collectors import CacheCollector


def test_every_level_of_every_cache_has_its_lines() -> None:
    memory = CacheStats("memory", hits=3, misses=2, evictions=1, entries=4, used_bytes=50, limit_bytes=60)
    shared = CacheStats("shared", hits=1, failures=7, skipped=9, is_available=False)
    registry = CollectorRegistry()
    registry.register(CacheCollector(lambda: {"sessions": (memory, shared)}))
    lines = generate_latest(registry).decode().splitlines()
    for line in (
        'trifocal_cache_hits_total{cache="sessions",level="memory"} 3.0',
        'trifocal_cache_misses_total{cache="sessions",level="memory"} 2.0',
        'trifocal_cache_evictions_total{cache="sessions",level="memory"} 1.0',
        'trifocal_cache_failures_total{cache="sessions",level="shared"} 7.0',
        'trifocal_cache_skipped_total{cache="sessions",level="shared"} 9.0',
        'trifocal_cache_entries{cache="sessions",level="memory"} 4.0',
        'trifocal_cache_bytes{cache="sessions",level="memory"} 50.0',
        'trifocal_cache_limit_bytes{cache="sessions",level="memory"} 60.0',
        'trifocal_cache_available{cache="sessions",level="memory"} 1.0',
        'trifocal_cache_available{cache="sessions",level="shared"} 0.0',
    ):
        assert line in lines
    # How many entries a server keeps is not known here: a line of 0 would be a lie.
    assert not [line for line in lines if line.startswith('trifocal_cache_entries{cache="sessions",level="shared"')]


def test_the_service_shows_its_caches_and_queues(tmp_path: Path) -> None:
    client = TestClient(create_app(small_service(tmp_path)))
    for _ in range(2):
        client.post("/v1/recommend", json={"user_id": "ann"})
    text = client.get("/metrics").text
    for line in (
        'trifocal_cache_hits_total{cache="sessions",level="memory"} 1.0',
        'trifocal_cache_misses_total{cache="sessions",level="memory"} 1.0',
        "trifocal_batch_size_count 2.0",
        'trifocal_batch_size_bucket{le="1.0"} 2.0',
        "trifocal_batches_busy 0.0",
        "trifocal_batches_limit 128.0",
        "trifocal_batches_hung 0.0",
    ):
        assert line in text
