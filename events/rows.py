"""Writing many rows at once, of several models in one statement, where a storm makes the ORM's own ways too slow."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, models


@dataclass(frozen=True)
class Part:
    """One of the statements that are run together; the others can select by its name from what it returns."""

    name: str
    statement: str
    values: Sequence[Any]


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """As many ids of a model's rows, ascending, that no other row will ever get.

    With them rows can name each other before any of them is stored.
    """
    if not count:
        return []
    asked = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(asked, [model._meta.db_table, count])
        return sorted(number for (number,) in cursor.fetchall())


def inserting(rows: Sequence[models.Model], *, skips_known: bool = False, returning: str = "") -> list[Part]:
    """Stores new rows of one model: all of them with their ids, or none. With `skips_known` what is there stays."""
    if not rows:
        return []
    meta = rows[0]._meta
    chosen, statement = _insertion(type(rows[0]), has_ids=rows[0].pk is not None)
    statement += " ON CONFLICT DO NOTHING" if skips_known else ""
    statement += f" RETURNING {returning}" if returning else ""
    return [Part(f"new_{meta.db_table}", statement, _columns(rows, chosen))]


@lru_cache
def _insertion(model: type[models.Model], *, has_ids: bool) -> tuple[list[Any], str]:
    """The fields of a new row, and the statement that stores some: the same however often it is asked."""
    meta = model._meta
    chosen = [field for field in meta.concrete_fields if has_ids or not field.primary_key]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in chosen)
    return chosen, f"INSERT INTO {connection.ops.quote_name(meta.db_table)} ({names}) SELECT * FROM {_unnest(chosen)}"  # noqa: S608


def updating(rows: Sequence[models.Model], fields: Sequence[str]) -> list[Part]:
    """Stores these fields of rows of one model.

    As `bulk_update`, whose CASE for every row and field takes longer than all the rest of a batch.
    """
    if not rows:
        return []
    chosen, statement = _change(type(rows[0]), tuple(fields))
    return [Part(f"changed_{rows[0]._meta.db_table}", statement, _columns(rows, chosen))]


@lru_cache
def _change(model: type[models.Model], fields: tuple[str, ...]) -> tuple[list[Any], str]:
    """The fields that a change stores, the key first, and the statement that does."""
    meta = model._meta
    chosen: list[Any] = [meta.pk, *(meta.get_field(name) for name in fields)]
    names = [connection.ops.quote_name(field.column) for field in chosen]
    statement = (
        f"UPDATE {connection.ops.quote_name(meta.db_table)} AS stored "  # noqa: S608
        f"SET {', '.join(f'{name} = given.{name}' for name in names[1:])} "
        f"FROM {_unnest(chosen)} AS given({', '.join(names)}) WHERE stored.{names[0]} = given.{names[0]}"
    )
    return chosen, statement


def write(*parts: Part) -> None:
    """Runs all parts as one statement: each sees the database as it was before, and none of them alone is done."""
    if not parts:
        return
    together = ", ".join(f"{part.name} AS ({part.statement})" for part in parts)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {together} SELECT 1", [value for part in parts for value in part.values])


def _unnest(fields: Sequence[Any]) -> str:
    """Columns of values as rows. Types come without a length, for a cast would cut where storing refuses."""
    kinds = (field.rel_db_type(connection) if field.primary_key else field.db_type(connection) for field in fields)
    columns = (f"%s::{kind.partition('(')[0]}[]" for kind in kinds)
    return f"unnest({', '.join(columns)})"


def _columns(rows: Sequence[models.Model], fields: Sequence[Any]) -> list[Any]:
    return [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in fields]
