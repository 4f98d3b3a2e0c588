"""Starts the `config` app: commands and template tags of the whole house."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
