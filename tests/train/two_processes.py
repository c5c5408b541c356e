"""What each of two processes runs in `test_processes`: it has to be importable where they start."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from tests.model.small_model import SMALL
from tests.train.judged_circle import judged_circle
from tests.train.test_training import CONFIG, run

from trifocal.train.batches import epoch_batches
from trifocal.train.processes import first_then_others, from_first, training_processes
from trifocal.train.run import TrainingRun
from trifocal.train.step import _total
from trifocal.train.table import content_table

# Nothing by chance, and every item live: then two halves of a batch can be compared with the whole.
STILL = SMALL.model_copy(update={"id_dropout": 0.0, "modality_dropout": 0.0})
EXACT = CONFIG.model_copy(
    update={
        "losses": CONFIG.losses.model_copy(update={"bpr": 0.0, "contrastive": 0.0}),
        "batch_size": 25,
        "max_shown_lists": 19,
        "max_rated_lists": 7,
    }
)


def gradients(folder: Path) -> dict[str, torch.Tensor]:
    """Return the gradient of the first batch; in each of several processes that of all of them."""
    training = TrainingRun(judged_circle(folder), "trifocal", STILL, EXACT, 8)
    content = content_table(training.model, training.data.features, training.device)
    batch, times_s = next(epoch_batches(training.batches, 0))
    training.model.train()
    parts = training.objective(batch.to(training.device), times_s, training.catalogue(content))
    _total(parts, training).backward()  # type: ignore[no-untyped-call]  # torch's stub
    return {name: p.grad for name, p in training.model.named_parameters() if p.grad is not None}


def work(rank: int, port: int, folder: Path) -> None:
    """Be process `rank` of two: gradient of a batch, then a short training; what came out is left in `folder`."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    with training_processes("cpu") as place:
        found = {f"gradient.{name}": tensor for name, tensor in gradients(folder / f"features{rank}").items()}
        config = CONFIG.model_copy(update={"epochs": 2, "gradient_every": 1})
        trained = run(judged_circle(folder / f"features{rank}"), folder / "run" / str(rank), config)
        found |= {f"trained.{name}": tensor for name, tensor in trained.model.state_dict().items()}
        found["item_vectors"] = torch.from_numpy(trained.knowledge.vectors)
        said = [from_first(lambda: place.rank), first_then_others(lambda: place.rank)]
        found["said"] = torch.tensor(said)
        torch.save(found, folder / f"{rank}.pt")
