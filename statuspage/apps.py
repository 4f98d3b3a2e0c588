"""Starts the `statuspage` app."""

from importlib import import_module

from django.apps import AppConfig


class StatuspageConfig(AppConfig):
    name = "statuspage"

    def ready(self) -> None:
        import_module("statuspage.belonging")
        import_module("statuspage.commands")
