"""Fields that name rows of the configuration and people."""

from typing import Any

from rest_framework import serializers

from accounts.models import User


def by_slug(model: Any, **more: Any) -> Any:
    """A field that names a row of the configuration by its slug."""
    return serializers.SlugRelatedField(slug_field="slug", queryset=model.objects.all(), **more)


def person(**more: Any) -> Any:
    """A field that names an active person by id."""
    return serializers.PrimaryKeyRelatedField(queryset=User.objects.filter(is_active=True), **more)
