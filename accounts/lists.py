"""What every list shares, on screen and in the API: search by `?q=`, order by `?sort=`, pages."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import django_filters
from django.contrib.postgres.search import SearchQuery
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework.filters import OrderingFilter

from events.errors import Invalid

ROWS = 25
# Counted up to here: to the last row.
ALL = 2**31 - 1


class ListFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """The base of every FilterSet: `?q=` finds rows in which each word occurs in one of `search_fields`."""

    q = django_filters.CharFilter(method="search", label=_("Search"))
    search_fields: ClassVar[tuple[str, ...]] = ()

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        for word in value.split():
            found = Q()
            for field in self.search_fields:
                found |= Q(**{f"{field}__icontains": word})
            queryset = queryset.filter(found)
        return queryset


def beginning_words(words: Iterable[str]) -> SearchQuery | None:
    """What finds texts in which each of the words begins a word, by their index; None if there are none."""
    quoted = [word.replace("\\", "\\\\").replace("'", "''") for word in words]
    asked = " & ".join(f"'{word}':*" for word in quoted)
    return SearchQuery(asked, config="simple", search_type="raw") if asked else None


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class SlugFilter(django_filters.ModelMultipleChoiceFilter):  # type: ignore[misc]  # django-filter ships no types
    """`?service=payments&service=search`: rows whose relation at `path` has one of these slugs."""

    def __init__(self, *, path: str, **kwargs: Any) -> None:
        super().__init__(field_name=f"{path}__slug", to_field_name="slug", **kwargs)


class ChoiceFilter(django_filters.MultipleChoiceFilter):  # type: ignore[misc]  # django-filter ships no types
    """Any of some values of a column. No row can be found twice, so none is compared with all the others."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(distinct=False, **kwargs)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class KeyFilter(django_filters.ModelMultipleChoiceFilter):  # type: ignore[misc]  # django-filter ships no types
    """`?service=payments&service=search`, asked by the column of ids and its index."""

    def __init__(self, *, path: str, **kwargs: Any) -> None:
        super().__init__(field_name=path, distinct=False, **{"to_field_name": "slug", **kwargs})

    def get_filter_predicate(self, v: Any) -> dict[str, Any]:
        return {self.field_name: v}


class SortFilter(OrderingFilter):
    """The API's `?sort=name` or `?sort=-name`, among the view's `ordering_fields`; raises Invalid for another."""

    ordering_param = "sort"

    def remove_invalid_fields(self, queryset: QuerySet[Any], fields: Any, view: Any, request: Any) -> list[str]:
        """The terms as they are: an order that there is not would look like one that was kept."""
        known = [name for name, _label in self.get_valid_fields(queryset, view, {"request": request})]
        for term in fields:
            if term.removeprefix("-") not in known:
                raise Invalid(
                    f"Nothing is sorted by {term!r}.", field="sort", remedy=f"Use {', '.join(sorted(known))}."
                )
        return list(fields)


class CappedPaginator(Paginator[Any]):
    """A paginator that counts no further than `most`: a list of a million rows is not counted for each page of it."""

    def __init__(self, found: QuerySet[Any], rows: int, *, most: int) -> None:
        super().__init__(found, rows)
        self.most = most
        self._found = found

    @cached_property
    def _counted(self) -> int:
        return self._found.order_by()[: self.most + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)

    @property
    def is_capped(self) -> bool:
        """Whether there are more than are counted."""
        return self._counted > self.most


class SortedPaginator(CappedPaginator):
    """A paginator that puts the ids in order and then reads the rows of the page: the rows of a long list are wide."""

    def page(self, number: int | str) -> Page[Any]:
        valid = self.validate_number(number)
        first = (valid - 1) * self.per_page
        ids = list(self._found.values_list("pk", flat=True)[first : first + self.per_page])
        rows = self._found.order_by().in_bulk(ids)
        return Page([rows[pk] for pk in ids if pk in rows], valid, self)


@dataclass(frozen=True)
class ListPage:
    """One page of a list: its filters and its rows."""

    filters: django_filters.FilterSet
    page: Page[Any]
    sortable: Collection[str] = ()

    @property
    def form(self) -> Any:
        return self.filters.form


def list_page(
    request: HttpRequest,
    queryset: QuerySet[Any],
    filters: type[django_filters.FilterSet],
    *,
    sortable: Collection[str] = (),
    rows: int = ROWS,
    most_counted: int | None = None,
) -> ListPage:
    """The rows that `?…` asks for. An order that is not `sortable` is the queryset's own; the id breaks ties.

    Rows are counted, and can be paged through, up to `most_counted`.
    """
    filtered = filters(request.GET, queryset=queryset, request=request)
    found = filtered.qs
    sort = request.GET.get("sort", "")
    paginator: Paginator[Any]
    if sort.removeprefix("-") in sortable:
        paginator = SortedPaginator(found.order_by(sort, "-pk"), rows, most=most_counted or ALL)
    else:
        paginator = CappedPaginator(found, rows, most=most_counted) if most_counted else Paginator(found, rows)
    return ListPage(filtered, paginator.get_page(request.GET.get("page")), sortable)
