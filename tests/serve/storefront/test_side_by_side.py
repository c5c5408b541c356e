from __future__ import annotations

from pathlib import Path

from tests.serve.small_service import small_bundle, small_service

from trifocal.feedback import MemoryEventStore
from trifocal.serve import build_service
from trifocal.serve.storefront.config import ComparedConfig
from trifocal.serve.storefront.side_by_side import SideBySide


def test_columns_leave_out_what_was_taken_and_mark_what_is_shared(tmp_path: Path) -> None:
    service = small_service(tmp_path)
    beside = SideBySide([ComparedConfig(name="Twin", bundle=str(tmp_path / "bundle"))])
    columns, is_whole = beside.columns(service, "ann", 4)
    beside.close()
    assert is_whole
    first, twin, als, popular = columns
    assert [column.name for column in columns] == ["Nearest", "Twin", "ALS", "Popular"]
    assert [place.card for place in twin.places] == [place.card for place in first.places]
    assert (first.common, twin.common) == (4, 4)
    assert all("Twin" in place.also and "Nearest" not in place.also for place in first.places)
    # The cheapest that ann did not take; the first dress is hers.
    assert [place.card.item_id for place in popular.places] == ["red-boot", "red-lamp", "blue-boot", "blue-lamp"]
    shown = {place.card.item_id for column in (first, twin, als, popular) for place in column.places}
    assert not shown & {"red-dress", "blue-dress", "black-lamp"}


def test_a_bundle_that_is_not_there_says_so_and_the_others_stand(tmp_path: Path) -> None:
    service = small_service(tmp_path)
    beside = SideBySide([ComparedConfig(name="Lost", bundle=str(tmp_path / "nowhere"))])
    columns, _ = beside.columns(service, "ann", 4)
    beside.close()
    assert columns[1].places == ()
    assert "cannot be shown" in columns[1].note
    assert columns[3].places


def test_another_bundle_in_force_makes_the_others_anew(tmp_path: Path) -> None:
    beside = SideBySide([])
    service = small_service(tmp_path)
    before, _ = beside.columns(service, "ann", 2)
    again, _ = beside.columns(build_service(small_bundle(tmp_path / "b"), MemoryEventStore()), "ben", 2)
    beside.close()
    assert len(before) == len(again) == 3
