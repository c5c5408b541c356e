"""Is the service well? Detectors behind one Protocol, and the guard that moves the ladder of fallbacks. Pure."""

from trifocal.feedback.health.alarms import Alarm, Detector, DetectorState, Severity
from trifocal.feedback.health.changes import AdwinChange, PageHinkleyChange
from trifocal.feedback.health.config import DetectorConfig, GuardConfig
from trifocal.feedback.health.cusum import ShareCusum, ShareFall
from trifocal.feedback.health.ewma import EwmaChart
from trifocal.feedback.health.guard import Guard, Move, Phase, RungTally
from trifocal.feedback.health.settling import Settled, Settling
from trifocal.feedback.health.signals import InputSignals, VariantSignals

__all__ = [
    "AdwinChange",
    "Alarm",
    "Detector",
    "DetectorConfig",
    "DetectorState",
    "EwmaChart",
    "Guard",
    "GuardConfig",
    "InputSignals",
    "Move",
    "PageHinkleyChange",
    "Phase",
    "RungTally",
    "Settled",
    "Settling",
    "Severity",
    "ShareCusum",
    "ShareFall",
    "VariantSignals",
]
