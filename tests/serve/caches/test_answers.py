from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations

import pytest

from trifocal.errors import ArtifactError, ConfigError
from trifocal.serve.asks import Answer, Ask, Filters, ItemCard, ScoredItem, SessionEvent
from trifocal.serve.caches import AnswerCache, MemoryCache
from trifocal.serve.caches.answers import answer_digest, decode_answer, encode_answer, history_version
from trifocal.types import EventType, History

CARD = ItemCard("shoe", "Red shoe — 日本", None, "Fashion > Shoes", 19.9, available=True, has_image=False)
ANSWER = Answer(
    (ScoredItem(CARD, 0.1), ScoredItem(replace(CARD, price=None), -1e-9, propensity=0.05)),
    "full",
    "m1",
    {"rank": 1.5},
    ("n",),
)
HISTORY = History.of_rows([1, 2])
# One other value for each field; a field that is added to these classes must be added here.
OTHER_ASKS: dict[str, object] = {
    "user_id": "ann",
    "session": (SessionEvent("shoe"),),
    "k": 11,
    "timestamp_s": 5_000.0,
    "device": "phone",
    "country": "NL",
    "query": "shoe",
    "exclude": ("shoe",),
    "exclude_seen": False,
    "filters": Filters(category="Fashion"),
    "diversity": 0.5,
    "variant": "als",
    "answered_as": "forced:als",
}
OTHER_FILTERS: dict[str, object] = {
    "category": "Fashion",
    "price_min": 1.0,
    "price_max": 1.0,
    "attributes": (("colour", ("red",)),),
}
OTHER_EVENTS: dict[str, object] = {"item_id": "bag", "event": EventType.CART, "timestamp_s": 7.0, "value": 1.0}


def digest(ask: Ask, history: History = HISTORY, now_s: float = 1_000.0) -> str:
    return answer_digest(ask, history, now_s=now_s, step_s=30.0)


def open_cache(version: str = "m1", config: str = "c1", cache: MemoryCache | None = None) -> AnswerCache:
    return AnswerCache(cache or MemoryCache(100_000), model_version=version, config_hash=config, ttl_s=30.0)


def test_every_field_of_a_question_counts() -> None:
    assert set(OTHER_ASKS) == {field.name for field in fields(Ask)}
    assert set(OTHER_FILTERS) == {field.name for field in fields(Filters)}
    assert set(OTHER_EVENTS) == {field.name for field in fields(SessionEvent)}
    event = SessionEvent("shoe")
    asks = [Ask(), *(replace(Ask(), **{name: value}) for name, value in OTHER_ASKS.items())]  # type: ignore[arg-type]
    asks += [Ask(filters=replace(Filters(), **{n: v})) for n, v in OTHER_FILTERS.items() if n != "category"]  # type: ignore[arg-type]
    asks += [Ask(session=(replace(event, **{n: v}),)) for n, v in OTHER_EVENTS.items()]  # type: ignore[arg-type]
    asks += [Ask(session=(event, event)), Ask(user_id=""), Ask(exclude=("shoe", "bag"))]
    assert all(digest(first) != digest(second) for first, second in combinations(asks, 2))


def test_what_makes_no_difference_makes_none() -> None:
    assert digest(Ask(exclude=("a", "b", "a"))) == digest(Ask(exclude=("b", "a")))
    assert digest(Ask(query="")) == digest(Ask())


def test_clock_times_count_in_steps() -> None:
    assert digest(Ask(), now_s=990.0) == digest(Ask(), now_s=1_019.9)  # 33 x 30 to 34 x 30
    assert digest(Ask(), now_s=1_020.0) != digest(Ask(), now_s=1_019.9)
    assert digest(Ask(timestamp_s=60.0)) == digest(Ask(timestamp_s=89.0))
    assert digest(Ask(timestamp_s=60.0)) != digest(Ask(timestamp_s=90.0))


def test_any_event_changes_the_version_of_a_history() -> None:
    versions = [history_version(History.of_rows(rows)) for rows in ([], [0], [1], [1, 2], [2, 1], [1, 2, 2])]
    other_time = replace(History.of_rows([1]), timestamps_s=HISTORY.item_rows[:1])
    assert len({*versions, history_version(other_time)}) == 7


def test_an_answer_comes_back_without_its_times() -> None:
    cache = open_cache()
    assert cache.get(Ask(), HISTORY, now_s=1_000.0) is None
    assert cache.put(Ask(), HISTORY, ANSWER, now_s=1_000.0)
    assert cache.get(Ask(), HISTORY, now_s=1_001.0) == replace(ANSWER, stages_ms={})
    assert cache.stats()[0].hits == 1


def test_a_new_event_a_new_item_or_another_shopper_gets_another_answer() -> None:
    cache = open_cache()
    cache.put(Ask(), HISTORY, ANSWER, now_s=1_000.0)
    assert cache.get(Ask(), History.of_rows([1, 2, 3]), now_s=1_000.0) is None
    assert cache.get(Ask(), HISTORY, now_s=1_000.0, catalogue_version=1) is None
    assert cache.get(Ask(user_id="ann"), HISTORY, now_s=1_000.0) is None
    assert cache.get(Ask(), HISTORY, now_s=1_030.0) is None


def test_no_model_reads_the_answers_of_another() -> None:
    shared = MemoryCache(100_000)
    open_cache("m1", "c1", shared).put(Ask(), HISTORY, ANSWER, now_s=0.0)
    assert open_cache("m2", "c1", shared).get(Ask(), HISTORY, now_s=0.0) is None
    assert open_cache("m1", "c2", shared).get(Ask(), HISTORY, now_s=0.0) is None
    assert open_cache("m1", "c1", shared).get(Ask(), HISTORY, now_s=0.0) is not None
    # An answer that another model gave, as while a bundle is swapped, is not kept either.
    assert not open_cache("m2", "c1", shared).put(Ask(), HISTORY, ANSWER, now_s=0.0)


def test_the_answer_of_a_fallback_is_not_kept() -> None:
    cache = open_cache()
    assert not cache.put(Ask(), HISTORY, replace(ANSWER, rung="popular"), now_s=0.0)
    assert cache.get(Ask(), HISTORY, now_s=0.0) is None


def test_forgetting_a_shopper_leaves_the_others_answers() -> None:
    cache = open_cache()
    for user_id in ("ann", "anna", None, "nobody"):
        cache.put(Ask(user_id=user_id), HISTORY, ANSWER, now_s=0.0)
    assert cache.forget("ann")
    left = [
        user_id for user_id in ("ann", "anna", None, "nobody") if cache.get(Ask(user_id=user_id), HISTORY, now_s=0.0)
    ]
    assert left == ["anna", None, "nobody"]


def test_every_field_of_an_answer_comes_back() -> None:
    assert decode_answer(encode_answer(ANSWER)) == ANSWER
    empty = Answer((), "popular", "", {})
    assert decode_answer(encode_answer(empty)) == empty


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", encode_answer(ANSWER)[:-1], b'{"items":[{"card":3}]}'])
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(ArtifactError, match=f"{len(data)} bytes starting with .* are no answer"):
        decode_answer(data)


def test_a_field_of_another_release_is_refused() -> None:
    data = encode_answer(ANSWER).replace(b'"rung"', b'"ladder"')
    with pytest.raises(ArtifactError, match="ladder"):
        decode_answer(data)


def test_a_damaged_answer_is_a_miss(caplog: pytest.LogCaptureFixture) -> None:
    class Damaging(MemoryCache):
        def get(self, key: str) -> bytes | None:
            value = super().get(key)
            return value and value[:-1]

    backing = Damaging(100_000)
    cache = open_cache(cache=backing)
    cache.put(Ask(), HISTORY, ANSWER, now_s=0.0)
    assert cache.get(Ask(), HISTORY, now_s=0.0) is None
    assert "made anew" in caplog.text
    assert backing.stats()[0].entries == 0


def test_a_model_version_is_needed() -> None:
    with pytest.raises(ConfigError, match="model version ''"):
        open_cache(version="")
