from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch
from tests.train.two_processes import gradients, work
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from trifocal.errors import ConfigError
from trifocal.train.processes import Place, first_then_others, from_first, place, summed, training_processes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Tensor]], Path]:
    folder = tmp_path_factory.mktemp("two")
    spawn(work, (free_port(), folder), nprocs=2)  # type: ignore[no-untyped-call]  # torch's stub
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)], folder


@pytest.mark.slow
def test_two_processes_have_the_gradient_of_the_whole_batch(
    two: tuple[list[dict[str, Tensor]], Path], tmp_path: Path
) -> None:
    whole = gradients(tmp_path)
    assert len(whole) > 40
    for found in two[0]:
        for name, gradient in whole.items():
            torch.testing.assert_close(found[f"gradient.{name}"], gradient, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.slow
def test_two_processes_end_with_the_same_model_and_only_the_first_writes(
    two: tuple[list[dict[str, Tensor]], Path],
) -> None:
    (first, second), folder = two
    for name, tensor in first.items():
        if not name.startswith("said"):
            torch.testing.assert_close(second[name], tensor, atol=0, rtol=0, msg=name)
    assert [path.name for path in (folder / "run").iterdir()] == ["0"]
    assert (folder / "run" / "0" / "train.jsonl").read_text().count("\n") == 2
    assert first["said"].tolist() == [0, 0]
    assert second["said"].tolist() == [0, 1]


def test_a_process_alone_is_the_first_of_one_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with training_processes("cpu") as here:
        assert here == place() == Place(0, 1)
        assert here.first
        assert (from_first(lambda: 3), first_then_others(lambda: 4)) == (3, 4)
        assert summed(torch.tensor([1.0, 2.0])).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("rank", "size"), [("0", None), ("x", "2")])
def test_half_an_environment_is_refused(monkeypatch: pytest.MonkeyPatch, rank: str, size: str | None) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if size is not None:
        monkeypatch.setenv("WORLD_SIZE", size)
    with (
        pytest.raises(ConfigError, match=f"RANK and WORLD_SIZE are '{rank}' and {size!r}; let torchrun set both"),
        training_processes("cpu"),
    ):
        pass
