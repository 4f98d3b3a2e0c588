"""On-call in the Django admin, a module a subject: to read and search; buttons call the actions."""

from oncall.admin import duty, escalations, people, policies, schedules

__all__ = ["duty", "escalations", "people", "policies", "schedules"]
