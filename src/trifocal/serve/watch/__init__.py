"""The running service watches itself: key figures, detectors, self-check, and the rung in force."""
