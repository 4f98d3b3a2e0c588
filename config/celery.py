"""Which Celery application runs Sitrep's background work, and which periodic work it starts."""

import os
from datetime import timedelta

from celery import Celery
from celery.signals import beat_init, worker_init
from django_structlog.celery.steps import DjangoStructLogInitStep

from config.serving import refuse_without_secret

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The web server's start has checked what there is to check; a worker need not read all its pages for it.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("sitrep")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Carries the request's id from the web process into the log lines of its tasks.
app.steps["worker"].add(DjangoStructLogInitStep)

# Paging has its own queue, so that nothing else can stand in front of it.
app.conf.task_default_queue = "default"
# Workflows have theirs too: ten thousand chores keep neither a page nor a mail waiting.
app.conf.task_routes = {
    "oncall.*": {"queue": "paging"},
    "alerts.*": {"queue": "paging"},
    "workflows.*": {"queue": "workflows"},
}

# Every entry is a sweep over due rows: running it twice, late, or from two beats at once does no harm.
app.conf.beat_schedule = {
    "oncall-tick": {"task": "oncall.tick", "schedule": timedelta(seconds=1), "options": {"expires": 5}},
    "alerts-held": {"task": "alerts.look_at_held", "schedule": timedelta(seconds=1), "options": {"expires": 5}},
    "alerts-sweep": {"task": "alerts.process_raw_events", "schedule": timedelta(seconds=2), "options": {"expires": 10}},
    "heartbeats-sweep": {
        "task": "alerts.check_heartbeats",
        "schedule": timedelta(seconds=2),
        "options": {"expires": 10},
    },
    "windows-sweep": {"task": "windows.look_after", "schedule": timedelta(seconds=20), "options": {"expires": 20}},
    "signatures-sweep": {
        "task": "signatures.verify_raw_events",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 10},
    },
    "events-sweep": {"task": "events.deliver_due", "schedule": timedelta(seconds=2), "options": {"expires": 10}},
    "reaching-sweep": {
        "task": "reaching.prove_reachability",
        "schedule": timedelta(minutes=10),
        "options": {"expires": 500},
    },
    "audit-sweep": {"task": "audit.audit_pages", "schedule": timedelta(minutes=1), "options": {"expires": 50}},
    "alert-audit-sweep": {"task": "audit.audit_alerts", "schedule": timedelta(minutes=1), "options": {"expires": 50}},
    "retention-sweep": {
        "task": "retention.forget_raw_events",
        "schedule": timedelta(minutes=30),
        "options": {"expires": 1500},
    },
    "ledger-sweep": {"task": "ledger.seal", "schedule": timedelta(minutes=30), "options": {"expires": 1500}},
    "calendars-sweep": {
        "task": "schedules.fetch_calendars",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 50},
    },
    "schedules-sweep": {"task": "schedules.look_after", "schedule": timedelta(minutes=10), "options": {"expires": 500}},
    "paging-tests-sweep": {"task": "paging_tests.check", "schedule": timedelta(hours=1), "options": {"expires": 3000}},
    "updates-sweep": {"task": "incidents.nudge_due", "schedule": timedelta(seconds=10), "options": {"expires": 10}},
    "followers-sweep": {
        "task": "incidents.tell_followers",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 50},
    },
    "action-items-sweep": {
        "task": "postmortems.tell_overdue",
        "schedule": timedelta(minutes=10),
        "options": {"expires": 500},
    },
    "workflows-sweep": {"task": "workflows.advance", "schedule": timedelta(seconds=1), "options": {"expires": 5}},
    "workflows-clock": {"task": "workflows.start_due", "schedule": timedelta(seconds=10), "options": {"expires": 20}},
    "duty-sweep": {"task": "duty.hand_over", "schedule": timedelta(minutes=1), "options": {"expires": 50}},
}


@worker_init.connect
@beat_init.connect
def check_secret(**_: object) -> None:
    """Neither a worker nor beat starts without a secret key."""
    refuse_without_secret()
