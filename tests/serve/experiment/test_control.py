"""Assignment, guard rails, stops: without a server."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tests.serve.experiment.shop import ALS, CONTROL, POPULAR, experiment, names

from trifocal.errors import ArtifactError, NotFoundError, ServingError
from trifocal.feedback import MemoryEventStore
from trifocal.ports import StoredEvent
from trifocal.serve import Ask, SessionEvent
from trifocal.serve.experiment.config import GuardRailConfig
from trifocal.serve.experiment.control import Experiment, VariantState
from trifocal.serve.experiment.notes import NotesFile


def visited(control: Experiment, store: MemoryEventStore, shoppers: list[str], rates: dict[str, float]) -> None:
    """Let each shopper see ten items, and click at the rate of the variant that is shown."""
    generator = np.random.default_rng(len(shoppers))
    for shopper in shoppers:
        ask = control.assigned(Ask(user_id=shopper))
        variant = ask.answered_as or ask.variant or ""
        events = [StoredEvent(f"{shopper}-{n}", shopper, "hat", "impression", 1.0, variant=variant) for n in range(10)]
        clicks = generator.binomial(10, rates.get(variant, 0.2))
        events += [StoredEvent(f"{shopper}-c{n}", shopper, "hat", "click", 2.0, variant=variant) for n in range(clicks)]
        store.append(events)


def state_of(control: Experiment, name: str) -> VariantState:
    return next(variant for variant in control.overview().variants if variant.name == name)


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


@pytest.fixture
def control(store: MemoryEventStore) -> Experiment:
    return Experiment(experiment(), store, clock=lambda: 50.0)


def test_a_shopper_keeps_the_variant_and_shares_are_kept(store: MemoryEventStore) -> None:
    third = POPULAR.model_copy(update={"share": 0.2})
    config = experiment(CONTROL, ALS.model_copy(update={"share": 0.3}), third)
    control, other = Experiment(config, store), Experiment(config, store)
    asks = [Ask(user_id=name) for name in names(3000)]
    found = [control.assigned(ask).variant for ask in asks]
    assert [other.assigned(ask).variant for ask in asks] == found
    shares = {name: count / 3000 for name, count in Counter(found).items()}
    assert shares == pytest.approx({"control": 0.5, "als": 0.3, "popular": 0.2}, abs=0.03)
    salted = Experiment(config.model_copy(update={"salt": "other"}), store)
    assert [salted.assigned(ask).variant for ask in asks] != found


def test_a_nameless_visitor_is_known_by_the_session_or_its_first_event(control: Experiment) -> None:
    by_session = {control.assigned(Ask(), session_id=name).variant for name in names(30)}
    by_event = {control.assigned(Ask(session=(SessionEvent(name),))).variant for name in names(30)}
    assert by_session == by_event == {"control", "popular"}
    first, later = SessionEvent("hat", timestamp_s=5.0), SessionEvent("bag")
    assert control.assigned(Ask(session=(first,))) == control.assigned(Ask(session=(first,)))
    assert control.assigned(Ask(session=(first, later))).variant == control.assigned(Ask(session=(first,))).variant
    assert control.assigned(Ask()).variant == "control"
    user = names(1)[0]
    assert control.assigned(Ask(user_id=user), session_id="x") == control.assigned(Ask(user_id=user), session_id="y")


def test_a_variants_diversity_is_for_who_asks_for_none(store: MemoryEventStore) -> None:
    mixed = POPULAR.model_copy(update={"diversity": 0.4})
    control = Experiment(experiment(CONTROL, mixed), store)
    assert control.assigned(Ask(), forced="popular").diversity == 0.4
    assert control.assigned(Ask(diversity=0.1), forced="popular").diversity == 0.1
    assert control.assigned(Ask(), forced="control").diversity == 0.0


def test_a_variant_asked_for_by_name_does_not_count(control: Experiment) -> None:
    ask = control.assigned(Ask(user_id="ann"), forced="popular")
    assert (ask.variant, ask.answered_as) == ("popular", "forced:popular")
    with pytest.raises(NotFoundError, match="no variant 'hat'; name one of control, popular"):
        control.assigned(Ask(), forced="hat")


def test_a_bad_variant_is_stopped_by_itself_and_a_good_one_is_not(store: MemoryEventStore) -> None:
    config = experiment(CONTROL.model_copy(update={"share": 0.4}), ALS.model_copy(update={"share": 0.3}),
                        POPULAR.model_copy(update={"share": 0.3}))  # fmt: skip
    control = Experiment(config, store, clock=lambda: 50.0)
    rates = {"control": 0.2, "als": 0.2, "popular": 0.08}
    looks = 0
    while state_of(control, "popular").stop is None and looks < 20:
        visited(control, store, [f"{name}-{looks}" for name in names(100)], rates)
        control.check()
        looks += 1
    stop = state_of(control, "popular").stop
    # Ten impressions each at .2 against .08: some 60 shoppers of each are enough, and 50 the least.
    assert looks <= 3
    assert stop is not None
    assert (stop.at_s, stop.by) == (50.0, "guard rail")
    assert stop.reason.startswith("ctr loses at least 0.")
    assert control.overview().stops == 1
    shopper = next(name for name in names(50) if control.assigned(Ask(user_id=name)).answered_as)
    ask = control.assigned(Ask(user_id=shopper))
    assert (ask.variant, ask.answered_as) == ("control", "stopped:popular")
    before = state_of(control, "popular").totals
    visited(control, store, [f"{name}-late" for name in names(2000)], rates)
    overview = control.check()
    # Its shoppers count nowhere, so that the others still have the shares that they should.
    assert state_of(control, "popular").totals == before
    assert state_of(control, "als").stop is None
    assert overview.sample_ratio_p > 0.01
    assert control.overview().stops == 1
    difference = state_of(control, "als").figures["ctr"].difference
    assert difference is not None
    assert difference.low < 0 < difference.high


def test_nobody_is_stopped_within_what_is_tolerated(store: MemoryEventStore) -> None:
    control = Experiment(experiment(guard_rails=(GuardRailConfig(tolerated=0.2),)), store)
    for look in range(10):
        visited(control, store, [f"{name}-{look}" for name in names(100)], {"control": 0.2, "popular": 0.19})
        control.check()
    assert state_of(control, "popular").stop is None


def test_a_stop_by_hand_holds_until_it_is_shown_again(control: Experiment, store: MemoryEventStore) -> None:
    visited(control, store, names(300), {"control": 0.3, "popular": 0.02})
    control.stop("popular", "looks odd")
    control.check()
    stop = state_of(control, "popular").stop
    assert stop is not None
    assert (stop.by, stop.reason) == ("hand", "looks odd")
    assert {control.assigned(Ask(user_id=name)).variant for name in names(50)} == {"control"}
    control.resume("popular")
    assert state_of(control, "popular").totals == (0, 0, 0)
    # What it did before its repair does not count any more.
    control.check()
    assert state_of(control, "popular").stop is None
    assert {control.assigned(Ask(user_id=name)).variant for name in names(50)} == {"control", "popular"}


def test_the_control_stays_and_so_do_unknown_names(control: Experiment) -> None:
    for change in (control.stop, control.resume):
        with pytest.raises(ServingError, match="'control' is the control"):
            change("control")
        with pytest.raises(NotFoundError, match="no variant 'hat'"):
            change("hat")


def test_a_restart_and_another_process_keep_stops_and_figures(tmp_path: Path, store: MemoryEventStore) -> None:
    store.append([StoredEvent("old", "ann", "hat", "impression", 1.0, variant="popular")])
    file = tmp_path / "notes.json"
    first = Experiment(experiment(), store, NotesFile(file), clock=lambda: 50.0)
    second = Experiment(experiment(), store, NotesFile(file))
    visited(first, store, names(20), {})
    first.stop("popular")
    first.check()
    second.check()
    restarted = Experiment(experiment(), store, NotesFile(file), clock=lambda: 60.0)
    restarted.check()
    for other in (second, restarted):
        assert state_of(other, "popular") == state_of(first, "popular")
        assert other.overview().since_s == 50.0
    # What was there before the experiment began is not of it.
    assert sum(variant.totals[0] for variant in first.overview().variants) == 200
    second.resume("popular")
    first.check()
    assert state_of(first, "popular").stop is None
    assert state_of(first, "popular").totals == (0, 0, 0)
    named = Experiment(experiment().model_copy(update={"name": "autumn"}), store, NotesFile(file))
    named.check()
    assert sum(variant.totals[0] for variant in named.overview().variants) == 0


def test_a_stop_that_cannot_be_kept_is_in_force_all_the_same(tmp_path: Path, store: MemoryEventStore) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    control = Experiment(experiment(), store, NotesFile(folder / "notes.json"))
    (folder / "notes.json").unlink()
    folder.rmdir()
    with pytest.raises(ArtifactError, match="cannot be kept"):
        control.stop("popular")
    assert {control.assigned(Ask(user_id=name)).variant for name in names(50)} == {"control"}
    folder.mkdir()
    control.check()
    kept = NotesFile(folder / "notes.json").read("spring")
    assert kept is not None
    assert set(kept.stopped) == {"popular"}
