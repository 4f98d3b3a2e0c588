"""Starts the `alerts` app."""

from importlib import import_module

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        import_module("alerts.belonging")
        import_module("alerts.handover")
        import_module("alerts.promised")
        import_module("alerts.related")
        import_module("alerts.telling")
