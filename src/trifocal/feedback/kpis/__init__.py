"""Key figures of the running service in sliding windows: CTR, conversion, satisfaction, coverage, latency, errors."""

from trifocal.feedback.kpis.config import KpiConfig
from trifocal.feedback.kpis.estimates import Estimate, mean_estimate, share_estimate
from trifocal.feedback.kpis.kpis import CellKpis, Kpis, WindowKpis

__all__ = ["CellKpis", "Estimate", "KpiConfig", "Kpis", "WindowKpis", "mean_estimate", "share_estimate"]
