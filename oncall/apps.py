"""Starts the `oncall` app."""

from importlib import import_module

from django.apps import AppConfig


class OncallConfig(AppConfig):
    name = "oncall"

    def ready(self) -> None:
        for channel in ("apprise", "mail", "push", "sms", "voice", "web", "webhook"):
            import_module(f"oncall.channels.{channel}")
        import_module("oncall.duty_handlers")
        import_module("oncall.paging_test_handlers")
        import_module("oncall.schedule_handlers")
        import_module("oncall.telling")
