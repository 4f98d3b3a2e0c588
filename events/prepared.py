"""Queries over models that are compiled once: what the ORM makes of one takes longer than the database needs for it.

For the few on the way from an alert to its page, which each alert waits for. What differs from one asking to the next
stands in `holds` as a name:

    FIND = Prepared(lambda: Page.objects.filter(holds("oncall_page.id = ANY({ids})")).select_related("user"))
    pages = FIND(ids=[1, 2, 3])
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=models.Model)
NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class _Asked:
    """A value that is known when the query is asked."""

    name: str


def holds(condition: str) -> RawSQL:
    """A condition in SQL, in which each `{name}` stands for a value that is given later. Never of anything typed in."""
    return told(condition, models.BooleanField())


def told(expression: str, output_field: "models.Field[Any, Any] | None" = None) -> RawSQL:
    """The same for what a query is annotated with."""
    names = [_Asked(name) for name in NAME.findall(expression)]
    return RawSQL(NAME.sub("%s", expression), names, output_field)  # noqa: S611  (constants of ours)


class Prepared(Generic[Row]):
    """A queryset of models with what it selects beside them, asked with other values each time.

    No prefetching, and no values that Django would have to adapt: these are given as psycopg takes them.
    """

    def __init__(self, build: Callable[[], "models.QuerySet[Row]"]) -> None:
        self._build = build
        self._compiled = threading.local()

    def __call__(self, **values: Any) -> list[Row]:
        """The rows for these values."""
        compiler, sql, params = self._ready()
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[each.name] if isinstance(each, _Asked) else each for each in params])
            rows = cursor.fetchall()
        klass = compiler.klass_info
        first, last = klass["select_fields"][0], klass["select_fields"][-1] + 1
        names = [column[0].target.attname for column in compiler.select[first:last]]
        populators = get_related_populators(  # type: ignore[call-arg]  # the stubs are of Django 6
            klass, compiler.select, connection.alias
        )
        found = []
        for row in compiler.results_iter([rows]):
            one = klass["model"].from_db(connection.alias, names, row[first:last])
            for populator in populators:
                populator.populate(row, one)
            for name, place in (compiler.annotation_col_map or {}).items():
                setattr(one, name, row[place])
            found.append(one)
        return found

    def _ready(self) -> tuple[Any, str, tuple[Any, ...]]:
        """The compiled query; once for each thread, for a compiler belongs to a connection."""
        if not hasattr(self._compiled, "query"):
            compiler = self._build().query.get_compiler(connection.alias)
            sql, params = compiler.as_sql()
            self._compiled.query = (compiler, sql, params)
        ready: tuple[Any, str, tuple[Any, ...]] = self._compiled.query
        return ready
