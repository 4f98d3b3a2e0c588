"""Incidents in the Django admin: all of it to read, with buttons that call actions."""

from incidents.admin import configuration, incidents, room, work

__all__ = ["configuration", "incidents", "room", "work"]
