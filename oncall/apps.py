"""Starts the `oncall` app."""

from django.apps import AppConfig
from django.utils.module_loading import import_module


class OncallConfig(AppConfig):
    name = "oncall"

    def ready(self) -> None:
        for channel in ("mail", "web", "webhook"):
            import_module(f"oncall.channels.{channel}")
