"""Several models over one state and one catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.bundle.small_bundle import small_contents
from tests.serve.experiment.shop import ALS, CONTROL, POPULAR, experiment, service_of

from trifocal import columns as c
from trifocal.bundle import write_bundle
from trifocal.errors import ArtifactError, ServingError, TrifocalError
from trifocal.feedback import MemoryItemStore
from trifocal.ports import StoredEvent, StoredItem
from trifocal.serve import Answer, Ask, Filters, Service
from trifocal.serve.caches.config import CacheConfig
from trifocal.serve.current import Current
from trifocal.serve.experiment.config import ExplorationConfig, VariantConfig
from trifocal.serve.live.items import LiveItems

THREE = (CONTROL, ALS.model_copy(update={"share": 0.25}), POPULAR.model_copy(update={"share": 0.25}))
# The last item of the small bundle is sold out.
CHEAP_FIRST = [item for item in small_contents().items[c.ITEM_ID].to_list() if item != "black-lamp"]


def ids(answer: Answer | TrifocalError) -> list[str]:
    assert isinstance(answer, Answer), answer
    return [item.card.item_id for item in answer.items]


def asked(service: Service, variant: str | None, **changes: object) -> Answer:
    return service.recommend(replace(Ask(user_id="ann", k=4, variant=variant), **changes))  # type: ignore[arg-type]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return service_of(tmp_path, experiment(*THREE))


def test_each_variant_has_its_own_lists_and_says_who_it_is(service: Service) -> None:
    answers = {name: asked(service, name) for name in ("control", "als", "popular")}
    own = asked(service, None)
    assert ids(answers["control"]) == ids(own)
    assert ids(answers["popular"]) == [item for item in CHEAP_FIRST if item not in ("red-dress", "blue-dress")][:4]
    assert len({tuple(ids(answer)) for answer in answers.values()}) == 3
    version = service.manifest.model_version
    assert {name: answer.variant for name, answer in answers.items()} == {name: name for name in answers}
    assert (answers["control"].model_version, answers["popular"].model_version) == (version, f"popular-{version}")
    assert answers["als"].model_version.startswith("als-")
    assert {answer.rung for answer in answers.values()} == {"full"}
    assert own.variant == "main"


def test_only_what_reads_the_history_gives_it_as_a_reason(service: Service) -> None:
    kinds = {name: asked(service, name).items[0].reason for name in ("control", "als", "popular")}
    assert {name: reason.kind for name, reason in kinds.items() if reason} == {
        "control": "history",
        "als": "history",
        "popular": "popular",
    }


def test_als_is_fitted_the_same_each_time(tmp_path: Path, service: Service) -> None:
    again = service_of(tmp_path / "again", experiment(*THREE))
    assert asked(again, "als").items == asked(service, "als").items


def test_a_batch_of_several_variants_keeps_its_order(service: Service) -> None:
    asks = [Ask(user_id=user, k=3, variant=name) for user in ("ann", "ben") for name in ("als", None, "popular", "als")]
    asks.insert(2, Ask(k=0, variant="popular"))
    found = service.recommend_many(asks)
    assert isinstance(found.pop(2), ServingError)
    asks.pop(2)
    assert [ids(answer) for answer in found] == [ids(service.recommend(ask)) for ask in asks]
    assert [answer.variant for answer in found if isinstance(answer, Answer)] == ["als", "main", "popular", "als"] * 2


def test_state_exclusion_and_filters_are_one_for_all(service: Service) -> None:
    service.state.record([StoredEvent("e1", "zoe", "red-dress", "purchase", 500.0)])
    for name in ("control", "als", "popular"):
        answer = asked(service, name, user_id="zoe", k=12, exclude=("red-boot",), filters=Filters(price_max=60))
        assert set(ids(answer)) == {"red-lamp", "blue-dress", "blue-boot", "blue-lamp"}


def test_a_fallback_is_the_variants_own(service: Service) -> None:
    last = ids(asked(service, "als"))
    assert ids(service.fall_back(Ask(user_id="ann", k=4, variant="als")))[: len(last)] == last
    fallen = service.fall_back(Ask(user_id="ann", k=4, variant="popular"))
    assert (fallen.variant, fallen.rung) == ("popular", "popular")


def test_what_was_asked_for_by_name_says_so(service: Service) -> None:
    ask = Ask(user_id="ann", k=4, variant="als", answered_as="forced:als")
    (many,) = service.recommend_many([ask])
    assert isinstance(many, Answer)
    assert {many.variant, service.recommend(ask).variant, service.fall_back(ask).variant} == {"forced:als"}


def test_diversity_and_exploration_of_a_variant(tmp_path: Path) -> None:
    curious = VariantConfig(name="curious", share=0.5, exploration=ExplorationConfig(share=1.0, slot=1, among=2))
    service = service_of(tmp_path, experiment(CONTROL, curious), exploration=ExplorationConfig(share=0.5, slot=2))
    assert [item.propensity for item in asked(service, "curious").items] == [0.5, 1.0, 1.0, 1.0]
    assert asked(service, "control").items[1].propensity < 1


def test_kept_answers_of_two_variants_never_mix(tmp_path: Path) -> None:
    service = service_of(tmp_path, experiment(*THREE), caches=CacheConfig(answer_bytes=1_000_000))
    names = ("control", "als", "popular")
    first = [asked(service, name) for name in names]
    again = [asked(service, name) for name in names]
    assert [ids(answer) for answer in again] == [ids(answer) for answer in first]
    assert [answer.stages_ms for answer in again] == [{}] * 3
    (stats,) = service.cache_stats()["answers"]
    assert (stats.hits, stats.misses) == (3, 3)
    assert service.forget_answers("ann")
    assert asked(service, "als").stages_ms != {}


def test_new_items_reach_the_model_and_leave_the_others_as_they_are(service: Service) -> None:
    current = Current(service)
    live = LiveItems(current, MemoryItemStore())
    before = {name: ids(asked(current.service, name)) for name in ("als", "popular")}
    live.put(StoredItem("new-dress", "Red dress", "A new one.", "Fashion > Dresses", 15.0))
    live.delete("green-dress")
    current.service.state.record([StoredEvent("e1", "ann", "new-dress", "click", 900.0)])
    assert {name: ids(asked(current.service, name)) for name in before} == {
        name: [item for item in ids(asked(service, name, k=12)) if item != "green-dress"][:4] for name in before
    }
    assert "new-dress" in ids(asked(current.service, "control", user_id="ben", k=12))
    assert "new-dress" not in ids(asked(current.service, "als", user_id="ben", k=12))


def test_another_bundle_with_other_items_answers_in_the_served_ones(tmp_path: Path) -> None:
    contents = small_contents()
    # The other way round, without the first, with one that is not served; half of its codes are others.
    turned = contents.items[1:].reverse()
    items = turned.with_columns(turned[c.ITEM_ID].replace({"green-boot": "unknown-boot"}))
    context = {"context": {"devices": ["phone"], "countries": ["NL", "DE"]}}
    other = replace(
        contents,
        items=items,
        item_vectors=contents.item_vectors[:0:-1].copy(),
        text_vectors=contents.text_vectors[:0:-1].copy(),
        popularity=contents.popularity[:0:-1].copy(),
        feature_state=context,
    )
    write_bundle(other, tmp_path / "other")
    rival = VariantConfig(name="rival", share=0.5, bundle=str(tmp_path / "other"))
    service = service_of(tmp_path, experiment(CONTROL, rival))
    control = set(ids(asked(service, "control", user_id="ben", k=12)))
    answer = asked(service, "rival", user_id="ben", k=12)
    assert set(ids(answer)) == control - {"red-dress", "green-boot"}
    assert all(name.endswith("boot") for name in ids(answer)[:2])
    assert answer.model_version != service.manifest.model_version
    assert len(ids(asked(service, "rival", user_id=None, k=3))) == 3


def test_a_variant_whose_bundle_is_missing_is_told_at_the_start(tmp_path: Path) -> None:
    rival = VariantConfig(name="rival", share=0.5, bundle=str(tmp_path / "nowhere"))
    with pytest.raises(ArtifactError, match="nowhere"):
        service_of(tmp_path, experiment(CONTROL, rival))
