"""Starts the `postmortems` app."""

from importlib import import_module

from django.apps import AppConfig


class PostmortemsConfig(AppConfig):
    name = "postmortems"

    def ready(self) -> None:
        import_module("postmortems.belonging")
        import_module("postmortems.commands")
