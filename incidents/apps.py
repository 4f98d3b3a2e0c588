"""Starts the `incidents` app."""

from importlib import import_module

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"

    def ready(self) -> None:
        import_module("incidents.handover")
        import_module("incidents.kept_mail")
        import_module("incidents.announcements")
        import_module("incidents.followers")
        import_module("incidents.room_handlers")
