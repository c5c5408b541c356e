"""Comparison -> the page of an evaluation. Writes the page and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from trifocal.evaluate.comparison import HEADLINE, Comparison, ModelFigures
from trifocal.evaluate.pictures import SampleUser
from trifocal.evaluate.plots import LABELS, coverage_plot, latency_plot, metric_plot
from trifocal.evaluate.report import verdict
from trifocal.evaluate.report_tables import cost_table, figures_table, gap_table, satisfaction_table, slice_tables
from trifocal.report import (
    Card,
    Charts,
    Fact,
    Folded,
    Listed,
    Note,
    Origin,
    Page,
    Rows,
    Section,
    Table,
    render_report,
)
from trifocal.report import write_report as write_page
from trifocal.report.learning_curve import LearningCurve, learning_chart
from trifocal.report.wording import counted

__all__ = ["report_html", "report_page", "write_report"]

# So many models' proposals are open for each sample user; the others unfold.
_OPEN_MODELS = 4
_LEAKY = (
    "This split is leaky: training events may be later than test events. Use its figures only to compare with others "
    "on the same split."
)
_SAMPLES = (
    "The newest items they had, what they went on to take, and the first items that each model proposed. A green frame "
    "= a hit. Drawn by a seed, not chosen for their looks."
)


def report_html(
    comparison: Comparison,
    samples: Sequence[SampleUser] = (),
    curves: Sequence[LearningCurve] = (),
    origin: Origin | None = None,
) -> str:
    """Return the page of `comparison` as HTML."""
    return render_report(report_page(comparison, samples, curves, origin))


def write_report(
    path: Path,
    comparison: Comparison,
    samples: Sequence[SampleUser] = (),
    curves: Sequence[LearningCurve] = (),
    origin: Origin | None = None,
) -> None:
    """Write the page of `comparison` to `path`, creating its folder."""
    write_page(path, report_page(comparison, samples, curves, origin))


def report_page(
    comparison: Comparison,
    samples: Sequence[SampleUser] = (),
    curves: Sequence[LearningCurve] = (),
    origin: Origin | None = None,
) -> Page:
    """Return the page: what came out, figures, differences, slices, costs, and users drawn at random."""
    origin = origin or Origin()
    return Page(
        "evaluation",
        f"{comparison.dataset}, split {comparison.split.name}",
        list(_sections(comparison, samples, curves)),
        verdicts=[Note(verdict(comparison)), *_warnings(comparison)],
        facts=_facts(comparison),
        remarks=_remarks(comparison),
        origin=Origin(origin.command, origin.made, comparison.split.fingerprint),
    )


def _warnings(comparison: Comparison) -> list[Note]:
    leaky = [Note(_LEAKY, "warning")] if comparison.split.leaky else []
    return leaky + [Note(text, "few") for text in comparison.notes]


def _facts(comparison: Comparison) -> list[Fact]:
    split, failed = comparison.split, len(comparison.failures)
    events = " / ".join(f"{part.height:,}" for part in (split.train, split.validation, split.test))
    return [
        Fact(f"Users asked ({comparison.part})", f"{comparison.users:,}"),
        Fact("Items ranked", f"{comparison.candidates:,}"),
        Fact("Models", f"{len(comparison.models)}" + (f", {failed} failed" if failed else "")),
        Fact("Training seeds", ", ".join(map(str, comparison.seeds)) or "one"),
        Fact("Train / validation / test events", events),
        Fact("Fingerprint", split.fingerprint[:12]),
    ]


def _sections(
    comparison: Comparison, samples: Sequence[SampleUser], curves: Sequence[LearningCurve]
) -> Iterator[Section]:
    yield _figures(comparison)
    if curves:
        yield _learned(curves)
    if comparison.failures:
        table = Table("Models that failed", ["Model", "Error"], comparison.failures, wording=True)
        yield Section("Models that could not be compared", [table])
    if len(comparison.models) > 1:
        yield _against(comparison)
    if comparison.knockout:
        yield _knocked_out(comparison.knockout)
    yield _slices(comparison)
    if comparison.satisfaction:
        yield Section("Satisfaction of the sessions hit", [satisfaction_table(comparison.satisfaction)], _HIT)
    yield _costs(comparison)
    if samples:
        opened = _opened(comparison)
        yield Section(
            f"{counted(len(samples), 'user')}, drawn at random", [_user(one, opened) for one in samples], _SAMPLES
        )


_HIT = (
    "Logged sessions in which the user took an item of the first 20 of the model's list, and how satisfied they were. "
    "It is about what was logged, not about what the model would have brought about."
)


def _figures(comparison: Comparison) -> Section:
    hint = (
        "Mean over users, below it the 95 % bootstrap interval. Best of each column in bold. Seeds: trainings that the "
        f"mean is of, in brackets the standard deviation of {LABELS[HEADLINE[0]]} between them."
    )
    charts = [
        *(metric_plot(comparison, metric) for metric in HEADLINE[:2]),
        coverage_plot(comparison, HEADLINE[0]),
        latency_plot(comparison, HEADLINE[0]),
    ]
    return Section("Figures", [figures_table(comparison), Charts([one for one in charts if one])], hint)


def _learned(curves: Sequence[LearningCurve]) -> Section:
    hint = (
        "Parts of the loss in training, and the validation figure after each epoch. The epoch marked is the one that "
        "is kept."
    )
    who = "they" if len(curves) > 1 else curves[0].name
    return Section(f"How {who} learned", [Charts([learning_chart(curve) for curve in curves])], hint)


def _against(comparison: Comparison) -> Section:
    others = len(comparison.models) - 1
    hint = (
        "Paired over the same users: difference of the means, in per cent, below it the 95 % interval of the pair and "
        f"p after Holm over {others} comparison{'s' * (others > 1)}. Coloured where the interval leaves 0 out; * = "
        "significant after Holm (p < .05)."
    )
    first = comparison.models[0].name
    return Section(f"{first} against each other model", [gap_table(comparison, f"{first} against each")], hint)


def _knocked_out(knockout: Comparison) -> Section:
    hint = (
        "The first seed's model, trained once, with texts or pictures dealt out to the wrong items, or without ids and "
        "what was taken together. A gain that survives the shuffling of the pictures does not come from the pictures."
    )
    title = f"What {knockout.models[0].name} loses without a part of what it knows"
    return Section(title, [gap_table(knockout, title)], hint)


def _slices(comparison: Comparison) -> Section:
    seeds = ", in the lists of the first seed" if len(comparison.seeds) > 1 else ""
    hint = (
        f"{LABELS[HEADLINE[0]]} by class of user and of target item, with n, the number of users. A slice of items "
        f"counts only targets of its class, for the users who have one{seeds}. Best of each column in bold; grey below "
        "30 users."
    )
    return Section("Where each model wins", slice_tables(comparison), hint)


def _costs(comparison: Comparison) -> Section:
    hint = (
        "Latency is one answer of 20 items, one request at a time, on the machine that made this page. Tuning is the "
        "budget that the choice of settings on validation took."
    )
    chosen = {model.name: _settings(model) for model in comparison.models if model.settings}
    folded = [Folded("Settings chosen on validation", [Listed(chosen)])] if chosen else []
    return Section("What each model costs", [cost_table(comparison), *folded], hint)


def _settings(model: ModelFigures) -> list[str]:
    return [f"{name} = {value}" for name, value in model.settings.items()]


def _opened(comparison: Comparison) -> list[str]:
    """The first model and the best others, in the order of the table."""
    first, *others = comparison.models
    best = sorted(others, key=lambda model: -model.metrics[HEADLINE[0]].mean)[: _OPEN_MODELS - 1]
    return [first.name, *(model.name for model in others if model in best)]


def _user(user: SampleUser, opened: Sequence[str]) -> Rows:
    shown: dict[str, Sequence[Card]] = {"had": user.had, "went on to take": user.took}
    more = {name: cards for name, cards in user.proposed.items() if name not in opened}
    shown |= {name: cards for name, cards in user.proposed.items() if name in opened}
    return Rows(f"User {user.user_id}", shown, more, counted(len(more), "more model"))


def _remarks(comparison: Comparison) -> list[str]:
    if len(comparison.seeds) > 1:
        drawn = (
            f", of each user's mean over {len(comparison.seeds)} trainings; the spread between trainings is not in the "
            "interval but stands beside it"
        )
    else:
        drawn = ". One seed; a difference between two trainings of one model is not in the interval"
    return [
        f"Split: {comparison.split.note or comparison.split.name}.",
        f"Every model ranks all {comparison.candidates:,} items; none are sampled. Recall@k = relevant items among the "
        "first k / relevant items. nDCG@k has binary gain and discount 1 / log2(place + 1). MAP@k divides by min(k, "
        "relevant). Coverage = share of the items that stand in the first 20 of somebody's list. Gini = how unevenly "
        "these places fall to the items, 0 evenly, 1 all to one. Novelty = mean of log2(training users / users of the "
        "item). Diversity = mean of 1 - cosine over the pairs of a list.",
        f"Intervals and p: paired bootstrap over users, {comparison.samples:,} resamples (no p before Holm is below "
        f"1 / {comparison.samples:,}){drawn}.",
    ]
