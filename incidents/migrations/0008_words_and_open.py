import django.contrib.postgres.indexes
from django.db import migrations, models

# In a language that the planner does not look into, with what it really costs: else it would rather compute the words of
# a hundred thousand rows again than read the index.
WORDS = r"""
CREATE FUNCTION incident_words(name text, summary text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $function$
BEGIN
    RETURN to_tsvector('pg_catalog.simple'::regconfig, coalesce(name, '') || ' ' || coalesce(summary, ''));
END
$function$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0007_held_roles"),
    ]

    operations = [
        migrations.RunSQL(WORDS, "DROP FUNCTION incident_words(text, text)"),
        migrations.RemoveIndex(model_name="incident", name="incident_search"),
        migrations.AddIndex(
            model_name="incident",
            index=django.contrib.postgres.indexes.GinIndex(
                models.Func(models.F("name"), models.F("summary"), function="incident_words"), name="incident_search"
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("resolved_at", None)), fields=["number"], name="incident_open"
            ),
        ),
    ]
