"""Part `anomalies`: false alarms and delay of the CTR detector by simulation, at the settings that the server has.

Answers of ten items each. A day is 20,000 impressions long and swings the CTR of .1 by a quarter; shoppers differ: the
CTR of an answer is drawn from a beta distribution around that of the hour. Each break is a detector of its own that saw
a healthy time of its own draw, up to another hour of the day.

What this part does not measure: a broken model on the running server, which the self-check finds before any click.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import numpy as np
from benchmarks.feedback.plan import Setting
from benchmarks.table.figures import Goal, Measured

from trifocal.feedback.health import DetectorConfig, ShareFall

__all__ = ["GOALS", "SIZES", "delay", "false_alarms", "measure"]

SIZES = ("healthy_impressions", "breaks")
GOALS = (
    Goal("false alarms, healthy impressions", "alarms", 0),
    Goal("greatest delay, CTR falls to a tenth", "impressions", 500),
)

_CTR, _SWING, _DAY, _ANSWER = 0.1, 0.25, 20_000, 10
# Of the beta distribution of shoppers: their CTRs spread by about .047, or by about .075 where they differ much.
_CONCENTRATION, _CONCENTRATION_LOW = 40.0, 15.0
_MUCH = "greatest delay, CTR falls to a tenth, shoppers differ much"
_FALLS = {"a tenth": 0.1, "a fifth": 0.2, "two fifths": 0.4}
# A break that was not found after so many counts as not found.
_PATIENCE = 5000
_LEARNED_MOST = 8000


def measure(setting: Setting) -> Measured:
    """Simulate the healthy time, then the breaks."""
    sizes = setting.sizes
    alarms = false_alarms(sizes.healthy_impressions, seed=0)
    delays = {name: [delay(fall, seed=1 + place) for place in range(sizes.breaks)] for name, fall in _FALLS.items()}
    delays_much = [delay(0.1, seed=1 + place, concentration=_CONCENTRATION_LOW) for place in range(sizes.breaks)]
    return _figures(sizes.healthy_impressions, alarms, delays, delays_much)


def false_alarms(impressions: int, seed: int) -> int:
    """Return how many alarms the detector gives in a healthy time."""
    detector = _detector()
    clicks = _clicks(np.random.default_rng(seed), impressions, 0)
    return sum(detector.update(click, 0.0) is not None for click in clicks)


def delay(fall: float, seed: int, *, concentration: float = _CONCENTRATION) -> int:
    """Return after how many impressions a fall of the CTR to `fall` of what it was is found; at most `_PATIENCE`."""
    generator = np.random.default_rng(seed)
    detector = _detector()
    healthy = int(generator.integers(DetectorConfig().learn_impressions, _LEARNED_MOST))
    hour = int(generator.integers(_DAY))
    for click in _clicks(generator, healthy, hour, concentration=concentration):
        detector.update(click, 0.0)
    broken = _clicks(generator, _PATIENCE, hour + healthy, fall=fall, concentration=concentration)
    for place, click in enumerate(broken, start=1):
        if detector.update(click, 0.0) is not None:
            return place
    return _PATIENCE


def _figures(healthy: int, alarms: int, delays: dict[str, list[int]], delays_much: list[int]) -> Measured:
    values: dict[str, float] = {"false alarms, healthy impressions": alarms}
    notes = {"false alarms, healthy impressions": f"{healthy:,} impressions, CTR {_CTR:g} +- {_SWING:.0%} in a day"}
    units: dict[str, str] = {}
    for name, found in delays.items():
        greatest, median = f"greatest delay, CTR falls to {name}", f"median delay, CTR falls to {name}"
        values |= {greatest: max(found), median: statistics.median(found)}
        units |= {greatest: "impressions", median: "impressions"}
        missed = sum(each >= _PATIENCE for each in found)
        notes[greatest] = f"{len(found)} breaks" + (f"; {missed} not found in {_PATIENCE:,}" if missed else "")
    values[_MUCH], units[_MUCH] = max(delays_much), "impressions"
    return Measured(values, notes, units, {"delays": delays, "delays, shoppers differ much": delays_much})


def _detector() -> ShareFall:
    config = DetectorConfig()
    falls = ((config.ctr_fall, config.ctr_threshold), (config.ctr_collapse, config.collapse_threshold))
    return ShareFall("ctr", falls=falls, learn=config.learn_impressions)


def _clicks(
    generator: np.random.Generator,
    impressions: int,
    hour: int,
    *,
    fall: float = 1.0,
    concentration: float = _CONCENTRATION,
) -> Iterator[float]:
    """1 or 0 for each impression, answer by answer."""
    for place in range(0, impressions, _ANSWER):
        mean = fall * _CTR * (1 + _SWING * np.sin(2 * np.pi * (hour + place) / _DAY))
        share = generator.beta(mean * concentration, (1 - mean) * concentration)
        yield from (generator.random(_ANSWER) < share).astype(float).tolist()
