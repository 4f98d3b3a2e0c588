"""Alerts: where they enter, which are the same, and what becomes of each."""
