"""Starts the `statuspage` app."""

from django.apps import AppConfig


class StatuspageConfig(AppConfig):
    name = "statuspage"
