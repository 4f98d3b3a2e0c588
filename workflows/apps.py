"""Starts the `workflows` app."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
