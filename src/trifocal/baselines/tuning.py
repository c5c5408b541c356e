"""One tuner for every baseline, with an equal budget: Optuna over a space of settings, scored on validation.

The budget is 20 trials, or 20 minutes of one core, whichever ends first; CPU time is counted over all threads of the
process.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import optuna

from trifocal.errors import ConfigError
from trifocal.ports import Recommender, Validator
from trifocal.progress import progress_bar

__all__ = ["Budget", "Setting", "Suggest", "Tuned", "tune"]

Setting = int | float | str
Suggest = Callable[[optuna.Trial], dict[str, Setting]]
Fit = Callable[[dict[str, Setting]], Recommender]


@dataclass(frozen=True)
class Budget:
    """What one model may spend on its settings.

    Attributes:
        trials: settings tried at most; 0 = none, the first settings are taken as they are.
        core_seconds: CPU seconds after which no further trial is begun, above 0.
    """

    trials: int = 20
    core_seconds: float = 1200.0

    def __post_init__(self) -> None:
        if self.trials < 0 or self.core_seconds <= 0:
            raise ConfigError(f"{self} is no budget; give 0 or more trials and more than 0 seconds")


@dataclass(frozen=True)
class Tuned:
    """The best settings and what finding them took.

    Attributes:
        settings: of the best trial.
        figure: its validation figure.
        trials: settings tried.
        core_seconds: CPU seconds spent.
    """

    settings: dict[str, Setting]
    figure: float
    trials: int
    core_seconds: float

    @property
    def spent(self) -> str:
        """The budget that was spent, as text."""
        return f"{self.trials} trials, {self.core_seconds:.0f} core-s"


def tune(
    name: str,
    suggest: Suggest,
    fit: Fit,
    validate: Validator,
    *,
    metric: str = "ndcg@10",
    budget: Budget | None = None,
    first: dict[str, Setting] | None = None,
    seed: int = 0,
) -> Tuned:
    """Return the settings with the greatest validation `metric`; of equals the earliest trial.

    Args:
        name: shown in the progress bar.
        suggest: an Optuna trial -> settings.
        fit: settings -> a recommender that has seen train alone.
        validate: a recommender -> figures.
        metric: the figure that counts.
        budget: None = 20 trials or 20 minutes of one core.
        first: settings to try before all others, such as published ones.
        seed: of Optuna's sampler (TPE).

    Raises:
        ConfigError: when the validator does not give `metric`, or the budget has no trial.
    """
    limit = budget or Budget()
    if limit.trials == 0:
        raise ConfigError(f"{name} was to be tuned in 0 trials; give at least 1")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=_sampler(seed))
    if first:
        study.enqueue_trial(first)
    started = time.process_time()
    with progress_bar(f"tune {name}", limit.trials) as bar:

        def objective(trial: optuna.Trial) -> float:
            settings = suggest(trial)
            trial.set_user_attr("settings", settings)
            figures = validate(fit(settings))
            if metric not in figures:
                raise ConfigError(f"the validator gives no {metric!r}; choose one of {', '.join(sorted(figures))}")
            bar.advance()
            return figures[metric]

        done = 0
        while done < limit.trials and (done == 0 or time.process_time() - started < limit.core_seconds):
            study.optimize(objective, n_trials=1)
            done += 1
            bar.note(f"best {metric} {study.best_value:.4f}")
    best: dict[str, Setting] = study.best_trial.user_attrs["settings"]
    return Tuned(best, study.best_value, done, time.process_time() - started)


def _sampler(seed: int) -> optuna.samplers.BaseSampler:
    with warnings.catch_warnings():
        # `multivariate` is marked experimental; it is what makes TPE see that settings depend on each other.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=8)
