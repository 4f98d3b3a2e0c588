"""How the lists of the REST API are cut into pages."""

import json
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework import pagination
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor
from rest_framework.request import Request


class CursorPagination(pagination.CursorPagination):
    """Pages by cursor: `?page_size=` up to 100, `next` and `previous` are addresses.

    A page begins right after the last row of the one before it, whatever was added meanwhile. Rows that are equal in
    what the list is sorted by follow by their second column, the id unless the view names another; rows without a value
    stand where PostgreSQL puts them (its manual, 7.5): after the others, and before them when sorted downwards.
    """

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = "-id"

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        """What is sorted by, with a second column where the first is not unique."""
        first, *others = super().get_ordering(request, queryset, view)
        field = _field_of(queryset.model, first)
        if others or field is None or field.unique:
            return (first, *others)
        return (first, f"{'-' if first.startswith('-') else ''}{queryset.model._meta.pk.name}")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self.request = request
        self.page_size = self.get_page_size(request) or self.page_size
        self.base_url = request.build_absolute_uri()
        self.ordering = self.get_ordering(request, queryset, view)  # type: ignore[assignment]  # several columns
        self.cursor = self.decode_cursor(request)
        reverse = self.cursor is not None and self.cursor.reverse
        ordering = [_turned(column) if reverse else column for column in self.ordering]
        found = queryset.order_by(*ordering)
        position = self._position()
        if position is not None:
            found = found.filter(_beyond(queryset.model, ordering, self._values(position)))
        rows = list(found[: self.page_size + 1])
        has_more = len(rows) > self.page_size
        self.page = rows[: self.page_size]
        if reverse:
            self.page.reverse()
        is_inside = position is not None
        self.has_next, self.has_previous = (is_inside, has_more) if reverse else (has_more, is_inside)
        return self.page

    def get_next_link(self) -> str | None:
        return self._link(-1, reverse=False) if self.has_next else None

    def get_previous_link(self) -> str | None:
        return self._link(0, reverse=True) if self.has_previous else None

    def _link(self, index: int, *, reverse: bool) -> str:
        """The address of the page beyond a row of this one; of one that has become empty, beyond where it began."""
        position: Any = self._position()
        if self.page:
            position = json.dumps([_told(self.page[index], column) for column in self.ordering])
        return self.encode_cursor(Cursor(offset=0, reverse=reverse, position=position))

    def _position(self) -> str | None:
        """What the request's cursor says of the row beyond which the page lies; None at the beginning."""
        told: Any = self.cursor.position if self.cursor else None  # (its types take it for a number)
        return None if told is None else str(told)

    def _values(self, position: str) -> list[str | None]:
        """The values of that row in the columns of the order; raises NotFound for what is no cursor."""
        try:
            values = json.loads(position)
        except ValueError:
            values = None
        if not isinstance(values, list) or len(values) != len(self.ordering):
            raise NotFound(self.invalid_cursor_message)
        return values


def _field_of(model: type[Model], column: str) -> Any:
    """The model's field that a list is sorted by; None for what was computed."""
    try:
        return model._meta.get_field(column.lstrip("-"))
    except FieldDoesNotExist:
        return None


def _turned(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"


def _told(row: Any, column: str) -> str | None:
    name = column.lstrip("-")
    value = row[name] if isinstance(row, dict) else getattr(row, name)
    return None if value is None else str(value)


def _beyond(model: type[Model], ordering: list[str], values: list[str | None]) -> Q:
    """The rows that come after the one with these values: by the first column, and by the rest where that is equal."""
    column, told = ordering[0], values[0]
    name, is_down = column.lstrip("-"), column.startswith("-")
    rest = _beyond(model, ordering[1:], values[1:]) if len(ordering) > 1 else None
    if told is None:
        later = Q(**{f"{name}__isnull": False}) if is_down else Q(pk__in=[])
        return later | (Q(**{f"{name}__isnull": True}) & rest) if rest else later
    field = _field_of(model, column)
    try:
        value = field.to_python(told) if field is not None else told
    except ValidationError:
        raise NotFound(pagination.CursorPagination.invalid_cursor_message) from None
    found = Q(**{f"{name}__{'lt' if is_down else 'gt'}": value})
    if rest:
        # (a whole range comes first, so that an index of the column is of use)
        not_before = Q(**{f"{name}__{'lte' if is_down else 'gte'}": value})
        found = not_before & (found | (Q(**{name: value}) & rest))
    is_nullable = field is not None and field.null
    return found | Q(**{f"{name}__isnull": True}) if is_nullable and not is_down else found
