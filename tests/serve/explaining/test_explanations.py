"""Which items are explained by what, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.bundle.small_bundle import draw_pictures
from tests.serve.explaining.fake_explainer import FakeSource, explained_service

from trifocal.errors import ConfigError
from trifocal.ports import StoredEvent
from trifocal.serve import Ask, ServeConfig, SessionEvent
from trifocal.serve.explaining.why import Why
from trifocal.serve.picture_search import SearchAsk
from trifocal.types import EventType


def test_the_model_is_asked_what_it_was_asked_before_in_ids_of_the_outside(tmp_path: Path) -> None:
    draw_pictures(tmp_path / "pictures")
    source = FakeSource()
    service = explained_service(tmp_path, source)
    found = service.explain(Why(Ask(user_id="ann", query="Blue")), ["green-dress", "red-lamp"])
    first, second = found.explanations
    assert first is not None
    assert second is not None
    assert (first.words[0].text, first.sentence, first.cells) == ("Green", "Green dress for Blue.", ((0.5, -0.25),))
    assert (second.words[0].text, second.cells) == ("Red", ((0.5, -0.25),))
    # Ann took the red dress and then the blue one.
    assert first.nearest is not None
    assert (first.nearest.item_id, first.nearest.title) == ("blue-dress", "Blue dress")
    ((rows, request, query),) = source.asked
    assert rows == [service.catalogue.row("green-dress"), service.catalogue.row("red-lamp")]
    assert request.context.query_vector is not None
    assert len(request.exclude) == 0
    assert query == "Blue"


def test_what_was_explained_is_kept_until_the_history_changes_or_the_user_is_deleted(tmp_path: Path) -> None:
    source = FakeSource()
    service = explained_service(tmp_path, source, ServeConfig(explain_bytes=100_000))
    why = Why(Ask(user_id="ann"))
    first = service.explain(why, ["green-dress", "red-lamp"])
    assert service.explain(why, ["red-lamp", "green-dress", "red-boot"]).explanations[:2] == first.explanations[::-1]
    assert [rows for rows, _, _ in source.asked][1] == [service.catalogue.row("red-boot")]
    assert source.loaded == 1
    service.state.record([StoredEvent("e", "ann", "red-lamp", EventType.PURCHASE, 999.0)])
    service.explain(why, ["green-dress"])
    assert len(source.asked) == 3
    assert service.cache_stats()["explanations"][0].entries == 4
    assert service.forget_answers("ann")
    assert service.cache_stats()["explanations"][0].entries == 0


def test_one_item_that_breaks_costs_one_explanation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = FakeSource()
    service = explained_service(tmp_path, source)
    source.bad_rows = (service.catalogue.row("red-lamp"),)
    found = service.explain(Why(Ask()), ["green-dress", "red-lamp", "red-boot", "never-heard-of"])
    assert [told is not None for told in found.explanations] == [True, False, True, False]
    assert "cannot be explained" in caplog.text


def test_a_missing_package_is_said_and_not_tried_item_by_item(tmp_path: Path) -> None:
    source = FakeSource(fault=ConfigError("captum is not installed; pip install 'trifocal[explain]'"))
    service = explained_service(tmp_path, source)
    with pytest.raises(ConfigError, match=r"trifocal\[explain\]"):
        service.explain(Why(Ask()), ["green-dress", "red-lamp"])
    assert len(source.asked) == 1


@pytest.mark.parametrize(
    ("rung", "sentence", "share"),
    [
        ("memory", "It goes with “Blue dress”: people took both.", "identity"),
        ("popular", "Many people take it.", "identity"),
        ("last", "It stood in the last list that was made for you.", None),
        ("picture", "Its picture looks like the one that was shown.", "picture"),
    ],
)
def test_what_the_model_did_not_rank_is_not_explained_by_it(
    tmp_path: Path, rung: str, sentence: str, share: str | None
) -> None:
    source = FakeSource()
    service = explained_service(tmp_path, source)
    (told,) = service.explain(Why(Ask(user_id="ann"), rung), ["green-dress"]).explanations
    assert told is not None
    assert (told.sentence, told.words, told.cells) == (sentence, (), ())
    assert told.nearest is not None
    assert (told.nearest.item_id, told.nearest.words) == ("blue-dress", ("dress",))
    assert told.nearest.category == "Fashion > Dresses"
    shares = {name: value for name, value in vars(told.shares).items() if value}
    assert shares == ({share: 1.0} if share else {})
    assert source.asked == []


def test_words_that_were_found_are_named(tmp_path: Path) -> None:
    service = explained_service(tmp_path, FakeSource())
    why = Why.found(SearchAsk("a red dress"), "words")
    dress, lamp = service.explain(why, ["blue-dress", "green-lamp"]).explanations
    assert dress is not None
    assert lamp is not None
    held = [word.text for word in dress.words if word.weight > 0]
    assert (held, dress.nearest) == (["dress", "Dresses", "dress"], None)
    assert dress.sentence == "For «a red dress»: its text says “dress”."
    assert lamp.sentence == "For «a red dress»: nothing stands out, it fits as a whole."


def test_a_model_without_a_network_is_explained_plainly(tmp_path: Path) -> None:
    service = explained_service(tmp_path, None)
    stranger, shopper = (
        service.explain(Why(Ask(session=session)), ["green-dress"]).explanations[0]
        for session in ((), (SessionEvent("red-dress"),))
    )
    assert stranger is not None
    assert shopper is not None
    assert (stranger.sentence, stranger.nearest) == ("Many people take it.", None)
    assert shopper.sentence == "It goes with “Red dress”: people took both."
    assert service.explain(Why.similar("red-dress", "vectors"), ["green-dress"]).explanations == (shopper,)


def test_an_explainer_is_made_anew_when_the_items_change(tmp_path: Path) -> None:
    source = FakeSource()
    service = explained_service(tmp_path, source)
    for _ in range(2):
        service.explain(Why(Ask()), ["green-dress"])
    assert source.loaded == 1
    changed = replace(service, gateway=service.gateway.grown(service.catalogue, service.gateway.engine, 7))
    changed.explain(Why(Ask()), ["green-dress"])
    assert source.loaded == 2


def test_the_query_beside_a_picture_is_explained_and_the_note_says_so(tmp_path: Path) -> None:
    source = FakeSource()
    found = explained_service(tmp_path, source).explain(Why.found(SearchAsk("red"), "picture"), ["red-dress"])
    assert "of the words" in found.notes[0]
    assert found.explanations[0] is not None
    assert found.explanations[0].sentence == "For «red»: its text says “red”."
    assert source.asked == []
