"""Joins the stages' configs, loads TOML and environment, reports all faults at once."""
