"""Locking rows together with others that they point at."""

from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def locked_rows(rows: QuerySet[M], *, skip_locked: bool = False, limit: int | None = None) -> list[M]:
    """The rows of a query that joins others (`select_related`), locked, each beside those that it points at now.

    Who has waited for a row is given it as it stands then, but beside the others as they were before: where it points
    at another one meanwhile, PostgreSQL finds none, and a foreign key that is set seems to lead nowhere. Such rows are
    read once more. A key that can't be empty must not change: its row would be missing (see `locked_row`).

    With `skip_locked` the rows that others hold are left out; at most `limit` are locked.
    """
    locking = rows.select_for_update(of=("self",), skip_locked=skip_locked)
    found = list(locking[:limit])
    while any(_is_torn(row) for row in found):
        found = list(locking[:limit])
    return found


def locked_row(rows: QuerySet[M], pk: int) -> M:
    """One row of such a query, locked, whichever of its foreign keys has changed while one waited for it.

    Raises DoesNotExist where there is no such row.
    """
    found = locked_rows(rows.filter(pk=pk))
    if not found:
        # What it points at has changed, or it is gone. Locked by itself it stays as it is, and is read beside the rest.
        rows.model._default_manager.select_for_update().get(pk=pk)
        return rows.select_for_update(of=("self",)).get(pk=pk)
    return found[0]


def _is_torn(row: Model) -> bool:
    """Whether a foreign key of it is set, and the row behind it was not found."""
    cached = row._state.fields_cache
    return any(
        cached.get(field.name, row) is None and getattr(row, field.attname) is not None
        for field in row._meta.concrete_fields
        if field.is_relation
    )
