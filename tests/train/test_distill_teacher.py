from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.model.small_model import SMALL
from tests.train.test_training import CONFIG, circle_data, next_hits, run

from trifocal.errors import ArtifactError
from trifocal.model.two_stage import Blend
from trifocal.train.batches import epoch_batches
from trifocal.train.content_parts import ContentObjective
from trifocal.train.data import TrainingData
from trifocal.train.distill_config import DistillConfig
from trifocal.train.distill_teacher import TAUGHT, Taught, Teacher, start_from
from trifocal.train.loop import TrainedModel, train_model
from trifocal.train.run import TrainingRun
from trifocal.train.table import content_table, pooled_features

STUDENT = SMALL.model_copy(update={"fusion_heads": 1})


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingData, Teacher]:
    """The circle, and a model that has learned it."""
    folder = tmp_path_factory.mktemp("teacher")
    data = circle_data(folder)
    config = CONFIG.model_copy(update={"epochs": 30, "patience": 30, "learning_rate": 1e-2})
    return data, teacher_of(run(data, folder / "run", config), data)


def teacher_of(trained: TrainedModel, data: TrainingData, config: DistillConfig | None = None) -> Teacher:
    cpu, attributes = torch.device("cpu"), torch.from_numpy(data.features.attributes)
    content, pooled = (
        content_table(trained.model, data.features, cpu),
        pooled_features(trained.model, data.features, cpu),
    )
    none = torch.zeros(len(data.features), dtype=torch.int64)
    with torch.no_grad():
        known = trained.model.item_tower.vectors(content, pooled, attributes, none)
    vectors = torch.from_numpy(np.array(trained.knowledge.vectors))
    blend = Blend(retrieval=0.3, ranker=True, ranking=0.4)
    return Teacher(trained.model, vectors, known, blend, config or DistillConfig(), "teacher")


def student(data: TrainingData, teacher: Teacher, folder: Path, **changes: object) -> TrainedModel:
    return train_model(
        data,
        name="student",
        model_config=STUDENT,
        config=CONFIG.model_copy(update={"align_epochs": 4, "epochs": 2, **changes}),
        compact_size=8,
        folder=folder,
        validate=next_hits,
        blend=teacher.blend,
        teacher=teacher,
    )


def taught(teacher: Teacher, scores: torch.Tensor) -> Taught:
    """One user, one position, four candidates, the third of which is the target; the first is a hit."""
    hits = torch.tensor([[True, False, False, False]])
    places = (torch.tensor([0]), torch.tensor([1]))
    return Taught(places, torch.arange(4), scores, torch.tensor([2]), torch.ones(1), hits, None)


def test_a_student_starts_with_the_weights_that_mean_the_same(lesson: tuple[TrainingData, Teacher]) -> None:
    data, teacher = lesson
    fresh = TrainingRun(data, "student", STUDENT.model_copy(update={"fusion_width": 8}), CONFIG, 8).model
    before = {name: tensor.clone() for name, tensor in fresh.state_dict().items()}
    start_from(teacher.model, fresh)
    known, own = teacher.model.state_dict(), fresh.state_dict()
    for name in ("item_tower.id_table.weight", "user_tower.recent.weight", "log_scale"):
        torch.testing.assert_close(own[name], known[name])
    # Of another width, and on components of other features.
    for name in ("item_tower.item_token", "item_tower.shortcut.weight"):
        torch.testing.assert_close(own[name], before[name])


def test_a_student_that_scores_like_its_teacher_has_nothing_to_learn(lesson: tuple[TrainingData, Teacher]) -> None:
    data, teacher = lesson
    training = TrainingRun(data, "student", STUDENT, CONFIG, 8)
    batch = next(epoch_batches(training.batches, 0))[0].to(training.device)
    with torch.no_grad():
        outputs = teacher.model.user_tower(batch.users, teacher.vectors)[0, 1]
        scores = (outputs @ teacher.vectors[:4].T * teacher.model.scale)[None]
    asked = bool(batch.users.query_rows[0, 1])
    same = teacher.ranking_part(batch, taught(teacher, scores))
    other = teacher.ranking_part(batch, taught(teacher, scores.flip(1)))
    assert float(same.loss) == pytest.approx(0, abs=1e-5)
    assert asked or float(other.loss) > 1e-3
    # What is no candidate does not count, whatever the student says of it.
    wild = scores.clone()
    wild[0, 0] += 100
    assert float(teacher.ranking_part(batch, taught(teacher, wild)).loss) == pytest.approx(0, abs=1e-5)


def test_a_position_with_a_query_is_left_out(lesson: tuple[TrainingData, Teacher]) -> None:
    data, teacher = lesson
    batch, _ = next(epoch_batches(TrainingRun(data, "student", STUDENT, CONFIG, 8).batches, 0))
    rows = torch.zeros_like(batch.users.query_rows)
    rows[0, 1] = 1
    asked = replace(batch, users=replace(batch.users, query_rows=rows))
    assert float(teacher.ranking_part(asked, taught(teacher, torch.randn(1, 4))).weight) == 0


def test_the_parts_are_weighted_and_those_of_weight_0_left_out(lesson: tuple[TrainingData, Teacher]) -> None:
    data, teacher = lesson
    deaf = replace(teacher, config=DistillConfig(items=0.0, rankings=0.5))
    training = TrainingRun(data, "student", STUDENT, CONFIG, 8, deaf)
    assert training.weights["teacher_rankings"] == 0.5
    batch, times_s = next(epoch_batches(training.batches, 0))
    batch = batch.to(training.device)
    content = content_table(training.model, data.features, training.device)
    parts = training.objective(batch, times_s, training.catalogue(content))
    assert set(TAUGHT) & set(parts) == {"teacher_rankings"}
    assert ContentObjective(training.model, STUDENT, CONFIG, deaf).names == ()


def test_the_item_part_is_the_unexplained_share(lesson: tuple[TrainingData, Teacher]) -> None:
    _, teacher = lesson
    rows = torch.tensor([1, 4])
    assert float(teacher.item_part(teacher.content[rows], rows).loss) == 0
    mean = teacher.content.mean(dim=0).expand(len(teacher.content), -1)
    everything = teacher.item_part(mean, torch.arange(len(teacher.content)))
    assert float(everything.loss) == pytest.approx(1, rel=1e-5)
    assert float(everything.weight) == len(teacher.content)


def test_a_student_comes_near_its_teachers_items_and_keeps_its_blend(
    lesson: tuple[TrainingData, Teacher], tmp_path: Path
) -> None:
    data, teacher = lesson
    found = student(data, teacher, tmp_path / "run", align_epochs=60)
    passes = [row["teacher_items"] for row in found.progress.alignment or []]
    assert passes[-1] < 0.2 * passes[0]
    assert found.blend == teacher.blend
    assert next_hits(found.recommender.with_blend(Blend(retrieval=10.0)))["ndcg@10"] == 1.0
    assert {"teacher_items", "teacher_rankings", "softmax"} <= set((found.progress.curve or [])[0])


def test_a_teacher_is_not_changed(lesson: tuple[TrainingData, Teacher], tmp_path: Path) -> None:
    data, teacher = lesson
    before = {name: tensor.clone() for name, tensor in teacher.model.state_dict().items()}
    student(data, teacher, tmp_path / "run")
    torch.testing.assert_close(teacher.model.state_dict(), before)


def test_a_killed_lesson_goes_on_to_the_same_student(
    lesson: tuple[TrainingData, Teacher], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trifocal.train.step import train_steps

    data, teacher = lesson
    whole = student(data, teacher, tmp_path / "whole")
    count = 0

    def dying(*arguments: object) -> dict[str, float]:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        return train_steps(*arguments)  # type: ignore[arg-type]  # handed through

    with monkeypatch.context() as patched:
        patched.setattr("trifocal.train.loop.train_steps", dying)
        with pytest.raises(KeyboardInterrupt):
            student(data, teacher, tmp_path / "killed")
    resumed = student(data, teacher, tmp_path / "killed")
    np.testing.assert_allclose(resumed.knowledge.vectors, whole.knowledge.vectors, atol=1e-4, rtol=1e-4)


def test_a_checkpoint_of_another_teacher_is_refused(lesson: tuple[TrainingData, Teacher], tmp_path: Path) -> None:
    data, teacher = lesson
    student(data, teacher, tmp_path / "run", align_epochs=0, epochs=1)
    with pytest.raises(ArtifactError, match="is of other data or settings"):
        student(data, replace(teacher, fingerprint="another"), tmp_path / "run", align_epochs=0, epochs=1)
