"""What sources send lies in a table for each month, so that a month can go at once; and how many events it holds."""

from datetime import UTC, datetime

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "alerts_rawevent"
MONTHS_AHEAD = 2
NAMED = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = %s AND indexname <> %s"
KEYS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = 'alerts_rawevent'::regclass AND contype = 'f'"
)
COUNTED = "UPDATE alerts_rawevent SET event_count = jsonb_array_length(outcomes) WHERE state = 'done'"


def month_after(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def by_month(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Rows move from the one table into one for each month; what belongs to no month goes to the rest."""
    rebuild(schema_editor, is_divided=True)


def in_one(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Back into one table."""
    rebuild(schema_editor, is_divided=False)


def rebuild(schema_editor: BaseDatabaseSchemaEditor, *, is_divided: bool) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(NAMED, [TABLE, f"{TABLE}_pkey"])
        indexes = [definition.replace(" ON ONLY ", " ON ") for (definition,) in cursor.fetchall()]
        cursor.execute(KEYS)
        keys = cursor.fetchall()
        cursor.execute(
            "SELECT min(received_at), nextval(pg_get_serial_sequence(%s, 'id')) FROM alerts_rawevent", [TABLE]
        )
        oldest, next_id = cursor.fetchone()
        divided = "PARTITION BY RANGE (received_at)" if is_divided else ""
        cursor.execute(
            "CREATE TABLE alerts_rawevent_new"
            f" (LIKE alerts_rawevent INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION) {divided}"
        )
        if is_divided:
            now = datetime.now(UTC)
            month = (oldest or now).astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            last = now
            for _ in range(MONTHS_AHEAD):
                last = month_after(last.replace(day=1))
            cursor.execute("CREATE TABLE alerts_rawevent_rest PARTITION OF alerts_rawevent_new DEFAULT")
            while month <= last:
                cursor.execute(
                    f"CREATE TABLE alerts_rawevent_{month:%Y_%m} PARTITION OF alerts_rawevent_new"
                    " FOR VALUES FROM (%s) TO (%s)",
                    [month, month_after(month)],
                )
                month = month_after(month)
        cursor.execute("INSERT INTO alerts_rawevent_new SELECT * FROM alerts_rawevent")
        cursor.execute("DROP TABLE alerts_rawevent")
        cursor.execute("ALTER TABLE alerts_rawevent_new RENAME TO alerts_rawevent")
        # An identity column would need PostgreSQL 17; a sequence that the column owns is found in the same way.
        cursor.execute("CREATE SEQUENCE alerts_rawevent_id_seq AS bigint OWNED BY alerts_rawevent.id")
        cursor.execute("SELECT setval('alerts_rawevent_id_seq', %s, false)", [next_id])
        cursor.execute("ALTER TABLE alerts_rawevent ALTER id SET DEFAULT nextval('alerts_rawevent_id_seq')")
        columns = "id, received_at" if is_divided else "id"
        cursor.execute(f"ALTER TABLE alerts_rawevent ADD CONSTRAINT alerts_rawevent_pkey PRIMARY KEY ({columns})")
        for definition in indexes:
            cursor.execute(definition)
        for name, definition in keys:
            cursor.execute(f"ALTER TABLE alerts_rawevent ADD CONSTRAINT {name} {definition}")


class Migration(migrations.Migration):
    dependencies = [("alerts", "0006_outcomes_and_groups")]

    operations = [
        migrations.AddField(
            model_name="rawevent",
            name="event_count",
            field=models.PositiveIntegerField(
                help_text="How many events the sender was told are accepted: each has an outcome in the end.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="rawevent",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="raw_events",
                to="alerts.alertsource",
            ),
        ),
        migrations.RunSQL(COUNTED, migrations.RunSQL.noop),
        migrations.RunPython(by_month, in_one),
        migrations.AddIndex(
            model_name="rawevent",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["received_at"], name="raw_event_received", pages_per_range=32
            ),
        ),
    ]
