"""How much of a shopper the known events tell: the shoppers of a sample shop, inferred from `shop_evidence`.

Everything of the truth is known but the shopper: what products are, the formula of the utility, how clicks, dwell,
carts, intents and searches come about, and what shoppers there are. Of each user the most probable shopper is taken
(the posterior mode), under a normal prior fitted on `_SAMPLES` fresh populations of the shop's own recipe, never on
the shop's shoppers. The real prior is no normal one (favourite categories, style families), and the mode is one point
of the posterior: what is reached is a lower bound of what could be known.

    log posterior = sum of log P(trace | shopper) over `traces`  -  |z|^2 / 2,     shopper = mean + factor z

Traces are taken as independent of each other given the shopper, which they are but for the slots: those are weighed
one by one, with what a visit showed before taken out.

Letters as in `shop_evidence`; D parameters of a shopper.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from benchmarks.quality.shop_evidence import FORGET_CLICKED, Evidence
from benchmarks.quality.shop_truth import Truth
from torch import Tensor
from torch.nn.functional import logsigmoid

from trifocal.data.shop.behaviour import CLICK_SHARPNESS
from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.products import Products
from trifocal.data.shop.shoppers import Shoppers, sample_shoppers
from trifocal.data.shop.utility import Utility
from trifocal.data.shop.wares import WARES
from trifocal.types import FloatArray, Vocabulary

__all__ = [
    "ALL_TRACES",
    "CLICK_TRACES",
    "Prior",
    "Shopper",
    "Trace",
    "World",
    "fit_prior",
    "infer",
    "inferred_truth",
    "log_likelihood",
]

Trace = Literal["clicks", "intents", "replies", "searches", "slots"]
CLICK_TRACES: tuple[Trace, ...] = ("clicks", "intents")
ALL_TRACES: tuple[Trace, ...] = (*CLICK_TRACES, "replies", "searches", "slots")
# Enough populations for the chance that their countries share to be part of the covariance.
_SAMPLES, _SAMPLE_SIZE, _FIRST_SEED = 8, 2500, 1000
# On the default shop the last 20 of these steps gain less than .1 of log posterior a user.
_STEPS, _LEARNING_RATE = 80, 0.1
# As in `trifocal.data.shop`: `visits`, `exposure` (of the slots inside the category), `behaviour`.
INTENT_TEMPERATURE, SEARCH_SHARPNESS = 1.3, 2.0
PERSONAL_NOISE, PERSONAL_SHARE = 1.2, 0.34 / 0.88
DWELL_SLOPE, DWELL_NOISE, CART_MOST, PURCHASE_MOST = 2.2, 0.5, 0.5, 0.7
_TINY = 1e-9
_USUAL_HOUR = 19.0


class Shopper(NamedTuple):
    """The parameters of U shoppers, columns of `Shoppers`; `price_ideal` and `price_sensitivity` are (U, 1)."""

    affinity_start: Tensor
    affinity_end: Tensor
    visual_taste: Tensor
    text_taste: Tensor
    price_ideal: Tensor
    price_sensitivity: Tensor


@dataclass(frozen=True)
class Prior:
    """What shoppers there are: (D,) mean and (D, D) Cholesky factor of the covariance; sensitivity as logarithm."""

    mean: Tensor
    factor: Tensor
    sizes: list[int]

    def shopper(self, place: Tensor) -> Shopper:
        """Return the shoppers at `place` (U, D), in standard deviations of the prior."""
        start, end, visual, text, ideal, log_sensitivity = torch.split(
            self.mean + place @ self.factor.T, self.sizes, dim=1
        )
        return Shopper(start, end, visual, text, ideal, log_sensitivity.exp())


def fit_prior(products: Products) -> Prior:
    """Return the normal prior of fresh shoppers of `products`."""
    config = ShopConfig(shoppers=_SAMPLE_SIZE)
    seeds = range(_FIRST_SEED, _FIRST_SEED + _SAMPLES)
    fresh = [_columns(sample_shoppers(config, products, np.random.default_rng([seed]))) for seed in seeds]
    values = np.concatenate([np.concatenate(each, axis=1) for each in fresh]).astype(np.float64)
    # Tastes lie on a scale of their own: a little on the diagonal keeps the factor defined.
    factor = np.linalg.cholesky(np.cov(values.T) + 1e-6 * np.eye(values.shape[1]))
    sizes = [each.shape[1] for each in fresh[0]]
    return Prior(_real(values.mean(axis=0)), _real(factor), sizes)


def _columns(shoppers: Shoppers) -> list[FloatArray]:
    """Return the columns of `Shopper` in order, each (U, width)."""
    tastes = [shoppers.affinity_start, shoppers.affinity_end, shoppers.visual_taste, shoppers.text_taste]
    return [*tastes, shoppers.price_ideal[:, None], np.log(shoppers.price_sensitivity)[:, None]]


class World:
    """The formula of the utility (see `trifocal.data.shop.utility`) once more, so that torch can differentiate it."""

    def __init__(self, utility: Utility) -> None:
        products = utility.products
        self.weights, self.days = utility.weights, utility.days
        self.first_day_of_year = utility.first_day_of_year
        self.visual, self.text = _real(products.visual), _real(products.text)
        self.price_level, self.quality = _real(products.price_level), _real(products.quality)
        self.category = torch.tensor(products.category)

    def lasting(self, shopper: Shopper) -> Tensor:
        """Return (U, N) what does not change with time: all but affinity and season."""
        distance = (self.price_level - shopper.price_ideal).abs()
        return (
            self.weights.visual * (shopper.visual_taste @ self.visual.T)
            + self.weights.text * (shopper.text_taste @ self.text.T)
            - self.weights.price * shopper.price_sensitivity * distance
            + self.weights.quality * self.quality
        )

    def categories(self, shopper: Shopper, user: Tensor, day: Tensor) -> Tensor:
        """Return (R, C) affinity and season of the users `user` (R,) at `day` (R,)."""
        share = (day / self.days)[:, None]
        return (1 - share) * shopper.affinity_start[user] + share * shopper.affinity_end[user] + self._season(day)

    def _season(self, day: Tensor) -> Tensor:
        peaks = torch.tensor([float(ware.peak_day) for ware in WARES])
        strengths = torch.tensor([ware.season for ware in WARES])
        return strengths * torch.cos(2 * torch.pi * (self.first_day_of_year + day[:, None] - peaks) / 365)


def log_likelihood(world: World, shopper: Shopper, evidence: Evidence, traces: Collection[Trace]) -> Tensor:
    """Return the log probability of the `traces` of all users, given their parameters: a scalar, up to a constant."""
    lasting = world.lasting(shopper)
    wish = _wish(world, shopper, lasting, evidence)
    terms: dict[Trace, Tensor] = {"clicks": _clicks(wish, evidence)}
    if "intents" in traces:
        terms["intents"] = _intents(world, shopper, evidence)
    if "replies" in traces:
        terms["replies"] = _replies(wish, evidence)
    if "searches" in traces:
        terms["searches"] = _searches(shopper, evidence)
    if "slots" in traces:
        terms["slots"] = _slots(lasting, evidence)
    return torch.stack([terms[trace] for trace in traces]).sum()


def _wish(world: World, shopper: Shopper, lasting: Tensor, evidence: Evidence) -> Tensor:
    """Return (P,) utility - click threshold of what was shown."""
    shown = evidence.impressions
    categories = world.categories(shopper, shown.user, shown.day)
    category = categories.gather(1, world.category[shown.item][:, None])[:, 0]
    return lasting[shown.user, shown.item] + category - world.weights.click_threshold


def _clicks(wish: Tensor, evidence: Evidence) -> Tensor:
    shown = evidence.impressions
    # 1 - look * sigmoid(x), in a form that keeps its digits.
    passed = (1 - shown.looked_at) + shown.looked_at * torch.sigmoid(-CLICK_SHARPNESS * wish)
    taken = torch.log(shown.looked_at) + logsigmoid(CLICK_SHARPNESS * wish)
    return torch.where(shown.clicked, taken, torch.log(passed + _TINY)).sum()


def _intents(world: World, shopper: Shopper, evidence: Evidence) -> Tensor:
    visits = evidence.visits
    interest = world.categories(shopper, visits.user, visits.day) / INTENT_TEMPERATURE
    return torch.log_softmax(interest, dim=1).gather(1, visits.intent[:, None]).sum()


def _replies(wish: Tensor, evidence: Evidence) -> Tensor:
    replies = evidence.replies
    content = torch.sigmoid(wish[replies.impression])
    dwell = -((replies.log_dwell - DWELL_SLOPE * (content - 0.5)) ** 2) / (2 * DWELL_NOISE**2)
    cart, purchase = CART_MOST * content**2, PURCHASE_MOST * content**2
    paid = torch.where(replies.bought, torch.log(purchase + _TINY), torch.log1p(-purchase))
    return (dwell + torch.where(replies.carted, torch.log(cart + _TINY) + paid, torch.log1p(-cart))).sum()


def _searches(shopper: Shopper, evidence: Evidence) -> Tensor:
    searches = evidence.searches
    liking = SEARCH_SHARPNESS * shopper.text_taste[searches.user]
    liking = liking.masked_fill(~searches.offered, -torch.inf)
    return torch.log_softmax(liking, dim=1).gather(1, searches.wanted[:, None]).sum()


def _slots(lasting: Tensor, evidence: Evidence) -> Tensor:
    """A slot follows the shopper's utility with a known share, among what is not yet shown; else it is as usual."""
    slots, visits = evidence.slots, evidence.visits
    keys = (lasting[visits.user[:, None], slots.columns] + slots.arrival) / PERSONAL_NOISE
    keys = keys + math.log(1 - FORGET_CLICKED) * slots.known
    share = torch.softmax(keys, dim=1)[slots.visit, slots.place]
    # Sums over whole shops lose the digits of float32.
    before = share.double().cumsum(0) - share
    left = 1 - (before - before[slots.first]).float()
    personal = share / torch.maximum(left, share + _TINY)
    return torch.log(PERSONAL_SHARE * personal + (1 - PERSONAL_SHARE) * slots.usual).sum()


def infer(world: World, prior: Prior, evidence: Evidence, traces: Collection[Trace]) -> Shopper:
    """Return the most probable shoppers, all users at once; of whom nothing is known the prior mean."""
    place = torch.zeros(len(evidence.device), len(prior.mean), requires_grad=True)
    optimiser = torch.optim.Adam([place], lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for _ in range(_STEPS):
        optimiser.zero_grad()
        loss = place.square().sum() / 2 - log_likelihood(world, prior.shopper(place), evidence, traces)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return Shopper(*(part.detach() for part in prior.shopper(place)))


def inferred_truth(
    truth: Truth, users: Vocabulary, evidence: Evidence, prior: Prior, traces: Collection[Trace]
) -> Truth:
    """Return `truth` with the shoppers `users` as the `evidence` about them lets them be inferred, and no others."""
    found = infer(World(truth.utility), prior, evidence, traces)
    size = len(users)
    columns = {name: part.numpy() for name, part in found._asdict().items()}
    prices = {name: columns.pop(name)[:, 0] for name in ("price_ideal", "price_sensitivity")}
    shoppers = Shoppers(
        **columns,
        **prices,
        device=evidence.device,
        country=np.zeros(size, dtype=np.int64),
        hour=np.full(size, _USUAL_HOUR, dtype=np.float32),
        join_day=np.zeros(size, dtype=np.int64),
        sessions=np.ones(size, dtype=np.int64),
    )
    return replace(truth, utility=replace(truth.utility, shoppers=shoppers), shoppers=users)


def _real(values: Numbers) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
