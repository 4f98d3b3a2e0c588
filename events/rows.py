"""Writing many rows at once where a storm makes the ORM's own ways too slow."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """As many ids of a model's rows, ascending, that no other row will ever get.

    With them rows can name each other before any of them is stored.
    """
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return sorted(number for (number,) in cursor.fetchall())


def update_rows(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Stores these fields of rows of one model, all in one statement.

    As `bulk_update`, whose CASE for every row and field takes longer than all the rest of a batch.
    """
    if not rows:
        return
    meta = rows[0]._meta
    chosen: list[Any] = [meta.pk, *(meta.get_field(name) for name in fields)]
    names = [connection.ops.quote_name(field.column) for field in chosen]
    columns = [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in chosen]
    statement = (
        f"UPDATE {connection.ops.quote_name(meta.db_table)} AS stored "  # noqa: S608  (names of our own models)
        f"SET {', '.join(f'{name} = given.{name}' for name in names[1:])} "
        f"FROM unnest({', '.join(f'%s::{_kind(field)}[]' for field in chosen)}) AS given({', '.join(names)}) "
        f"WHERE stored.{names[0]} = given.{names[0]}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, columns)


def _kind(field: Any) -> str:
    """The type of a field's values; without a length, for a cast would cut where storing refuses."""
    return str(field.rel_db_type(connection)).partition("(")[0]
