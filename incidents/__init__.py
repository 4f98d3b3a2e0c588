"""Incidents: what is wrong, how bad, who leads, what happened, what next."""
