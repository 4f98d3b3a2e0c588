"""Incidents in the Django admin: the configuration to edit, the incidents to read, with buttons that call actions."""

from incidents.admin import configuration, incidents

__all__ = ["configuration", "incidents"]
