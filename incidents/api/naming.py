"""Fields that name rows of the configuration and people."""

from typing import Any

from rest_framework import serializers

from accounts.models import User

MOST_NAMED = 12


class SlugField(serializers.SlugRelatedField[Any]):
    """Names a row by its slug; a refusal names those that there are."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError:
            rows: Any = self.get_queryset()
            known = list(rows.values_list("slug", flat=True)[: MOST_NAMED + 1])
            if len(known) > MOST_NAMED:
                known[-1] = "…"
            remedy = f"Use {', '.join(known)}." if known else "There is none yet."
            raise serializers.ValidationError([f"There is no “{data}”. {remedy}"], code="does_not_exist") from None


def by_slug(model: Any, **more: Any) -> Any:
    """A field that names a row of the configuration by its slug."""
    return SlugField(slug_field="slug", queryset=model.objects.all(), **more)


def person(**more: Any) -> Any:
    """A field that names an active person by id."""
    return serializers.PrimaryKeyRelatedField(queryset=User.objects.filter(is_active=True), **more)
