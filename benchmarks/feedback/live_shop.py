"""Part `live shop`: an A/B test that stops by itself, and a model that breaks, on the sample shop's own shoppers."""

from __future__ import annotations

from benchmarks.feedback.live_ab import STOPPED, measure_ab
from benchmarks.feedback.live_break import CLIMBED, DELAY, FALSE_MOVES, RECOVERED, measure_break
from benchmarks.feedback.live_world import shop_bundle, shop_folder
from benchmarks.feedback.plan import Setting
from benchmarks.table.figures import Goal, Measured
from benchmarks.table.store import stored_or

__all__ = ["GOALS", "SIZES", "joined", "measure"]

_SHOP_SIZES = ("products", "shoppers")
_AB_SIZES = (*_SHOP_SIZES, "ab_shoppers", "ab_visits")
_BREAK_SIZES = (*_SHOP_SIZES, "break_shoppers", "break_impressions", "break_visits_per_s")
SIZES = (*_AB_SIZES, *_BREAK_SIZES[len(_SHOP_SIZES) :])
GOALS = (
    Goal(STOPPED, "1 = yes", 1.0, "at least"),
    Goal(DELAY, "impressions", 500.0),
    Goal(RECOVERED, "x", 0.8, "at least"),
    Goal(CLIMBED, "1 = yes", 1.0, "at least"),
    Goal(FALSE_MOVES, "moves", 0.0),
)


def measure(setting: Setting) -> Measured:
    """Measure both halves; each is kept as soon as it is there."""
    shop, bundle, folder = shop_folder(setting), shop_bundle(setting), setting.out / "live-shop"
    tested = stored_or(
        folder / "ab.json", setting.key(_AB_SIZES), lambda: measure_ab(setting, shop, bundle), force=setting.force
    )
    broken = stored_or(
        folder / "break.json",
        setting.key(_BREAK_SIZES),
        lambda: measure_break(setting, shop, bundle),
        force=setting.force,
    )
    return joined({"ab": tested, "break": broken})


def joined(parts: dict[str, Measured]) -> Measured:
    """Return the figures of all `parts` in one; no two parts have a figure of one name."""
    return Measured(
        values={name: value for part in parts.values() for name, value in part.values.items()},
        notes={name: note for part in parts.values() for name, note in part.notes.items()},
        units={name: unit for part in parts.values() for name, unit in part.units.items()},
        detail={name: part.detail for name, part in parts.items()},
    )
