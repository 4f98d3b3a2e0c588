"""Workflows, their versions, and their runs: a state machine whose every move is a row in PostgreSQL."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import User
from accounts.secrets import SecretField
from incidents.models import Incident


class Workflow(models.Model):
    """What happens by itself, when, and under which conditions. What it does is in its newest version.

    A definition (`WorkflowVersion.definition`) is JSON:

        {"trigger": {"kind": "event", "events": ["incident.declared", …], "delay_minutes": 30}
                  | {"kind": "time", "cron": "0 9 * * 1", "time_zone": "Europe/Berlin"}
                  | {"kind": "person"} | {"kind": "webhook"},
         "conditions": {…},                  the condition language of events/conditions.py
         "once": "event" | "subject",        once per event, or once per incident for good
         "steps": [{"id": "page", "kind": "page", "name": "", "conditions": {…}, "params": {…}},
                   {"id": "b", "kind": "branch", "params": {"conditions": {…}}, "then": [step, …], "otherwise": []},
                   {"id": "l", "kind": "loop", "params": {"over": "services", "as": "it"}, "steps": [step, …]}]}
    """

    class TriggerKind(models.TextChoices):
        EVENT = "event", _("Something happens")
        TIME = "time", _("At a time")
        PERSON = "person", _("Somebody starts it")
        WEBHOOK = "webhook", _("A webhook is called")

    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=120, unique=True)
    description = models.TextField(blank=True)
    folder = models.CharField(max_length=60, blank=True)
    is_enabled = models.BooleanField(default=False)
    sees_private = models.BooleanField(default=False, help_text=_("Whether it runs for private incidents."))
    in_tests = models.BooleanField(default=False, help_text=_("Whether it runs for tests and game days."))
    version = models.PositiveIntegerField(default=0, help_text=_("The number of the version that is in force."))
    # Read from the newest version, so that what an event starts is found without reading each.
    trigger_kind = models.CharField(max_length=10, choices=TriggerKind, default=TriggerKind.EVENT)
    events = models.JSONField(default=list, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, help_text=_("When a time of its own comes next."))
    token_hash = models.CharField(max_length=64, blank=True, help_text=_("Of the token in its webhook's address."))
    token = SecretField(blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["folder", "name"]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(is_enabled=True, next_at__isnull=False), name="workflow_next"),
            models.Index(fields=["token_hash"], condition=~Q(token_hash=""), name="workflow_token"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/workflows/{self.slug}/"


class WorkflowVersion(models.Model):
    """One state of a workflow, never changed: runs follow the one with which they began."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    author_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["workflow", "-number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="workflow_version_once")]

    def __str__(self) -> str:
        return f"{self.workflow} v{self.number}"


class RunQuerySet(models.QuerySet["WorkflowRun"]):
    """Runs as an actor may see them."""

    def visible_to(self, actor: Actor) -> Self:
        """Those of no incident, and of incidents that the actor may see."""
        if actor.sees_everything:
            return self
        return self.filter(Q(incident=None) | Q(incident__in=Incident.objects.visible_to(actor)))


class WorkflowRun(models.Model):
    """One time that a workflow runs. `due_at` is when it goes on; nobody waits in memory.

    `position` is a list of frames, the innermost last: {"path": "steps", "index": 2}, and for a loop
    {"path": "steps.1.steps", "index": 0, "item": 3}. `facts` are what the trigger told; what steps return stands in
    their rows.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Canceled")
        STOPPED = "stopped", _("Stopped by loop protection")
        NOT_MET = "not_met", _("Conditions not met")

    OPEN = (State.WAITING, State.RUNNING)
    # Somebody has to look at it.
    TROUBLE = (State.FAILED, State.STOPPED)

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(WorkflowVersion, on_delete=models.CASCADE, related_name="runs")
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="workflow_runs"
    )
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    trigger = models.CharField(max_length=100, help_text=_("The event, or the way in which it was started."))
    facts = models.JSONField(default=dict)
    started_by_kind = models.CharField(max_length=20)
    started_by_name = models.CharField(max_length=200)
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # The same event, the same minute of a clock, the same request start it once.
    dedup_key = models.CharField(max_length=200)
    position = models.JSONField(default=list)
    chain = models.JSONField(default=list, help_text=_("The ids of the workflows whose doing led to this run."))
    caller = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="called")
    attempts = models.PositiveIntegerField(default=0, help_text=_("Of the step at which it stands."))
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects: ClassVar[RunQuerySet] = RunQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["workflow", "dedup_key"], name="workflow_run_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["waiting", "running"]), name="workflow_run_due"),
            models.Index(fields=["workflow", "-id"], name="workflow_run_of"),
            models.Index(fields=["incident", "-id"], name="workflow_run_incident"),
            models.Index(fields=["state", "-id"], name="workflow_run_state"),
            models.Index(
                fields=["workflow", "-id"], condition=Q(state__in=["failed", "stopped"]), name="workflow_run_trouble"
            ),
            models.Index(fields=["ended_at", "state"], condition=Q(ended_at__isnull=False), name="workflow_run_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id} run {self.pk} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    def get_absolute_url(self) -> str:
        return f"/workflows/runs/{self.pk}/"


class StepRun(models.Model):
    """One step of a run. It is stored before what it does outside, with the key under which that is done again."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Skipped")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(WorkflowRun, on_delete=models.CASCADE, related_name="steps")
    path = models.CharField(max_length=200, help_text=_("Where it stands: the ids of steps, and the turns of loops."))
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    inputs = models.JSONField(default=dict)
    output = models.JSONField(default=dict)
    detail = models.TextField(blank=True, help_text=_("What came of it, in words; why it was skipped or failed."))
    attempts = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["run", "id"]
        constraints = [models.UniqueConstraint(fields=["run", "path"], name="workflow_step_once")]

    def __str__(self) -> str:
        return f"{self.path} ({self.state})"

    @property
    def key(self) -> str:
        """The idempotency key of what the step does outside: the same on each try."""
        return f"workflow-{self.run_id}-{self.path}"
