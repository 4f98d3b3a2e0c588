"""Sitrep as an Alertmanager for those who read from one: amtool, Grafana, dashboards."""
