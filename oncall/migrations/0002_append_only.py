"""The database itself refuses to change or delete a line of an escalation's ledger."""

from django.db import migrations

REFUSE = """
CREATE TRIGGER escalation_entry_append_only BEFORE UPDATE OR DELETE ON oncall_escalationentry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
ALLOW = "DROP TRIGGER escalation_entry_append_only ON oncall_escalationentry;"


class Migration(migrations.Migration):
    dependencies = [("oncall", "0001_initial"), ("events", "0002_append_only")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
