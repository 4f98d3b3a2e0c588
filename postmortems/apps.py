"""Starts the `postmortems` app."""

from django.apps import AppConfig


class PostmortemsConfig(AppConfig):
    name = "postmortems"
