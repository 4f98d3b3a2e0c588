"""Starts the `workflows` app."""

from importlib import import_module

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"

    def ready(self) -> None:
        import_module("workflows.steps")
        import_module("workflows.telling")
        import_module("workflows.commands")
