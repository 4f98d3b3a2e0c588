"""Starts the `oncall` app."""

from django.apps import AppConfig


class OncallConfig(AppConfig):
    name = "oncall"
