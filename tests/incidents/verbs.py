"""What can be done to an incident, and by which ways: the table that `test_parity.py` goes through."""

from dataclasses import dataclass
from typing import Any


class No(str):
    """Why a verb does not come in by a way, in a word."""


@dataclass(frozen=True)
class Verb:
    """One verb by each of its ways in; a `No` where it makes no sense by that way.

    `form` and `rest` are the address below the incident and what is sent (by POST, where no method stands before it),
    `command` what is typed in the room, `admin` the action on chosen incidents, or on rows of the model that stands
    before it, `step` the kind of a workflow's step with its parameters. The verbs of `before` are done to the incident
    first. PERSON is Bob, OTHER the number of another incident, STATUS the row of Identified, UPDATE and ACTION the row
    of the newest one; in an address, as {action}, {link} and {entry}, so is the newest of these.
    """

    form: tuple[str, dict[str, Any]]
    rest: tuple[str, dict[str, Any]]
    command: str | No
    admin: str | No
    step: tuple[str, dict[str, Any]] | No
    before: str = ""


# What a list of incidents has no field for: each of its rows would take other words.
EACH_ITS_OWN = No("each incident takes its own")
BY_ITSELF = No("a workflow corrects nobody")
BOB = {"persons": ["bob@example.com"]}
STARTED = {"which": "started", "reason": "Logs"}
VERBS: dict[str, Verb] = {
    "note": Verb(
        ("notes", {"text": "Pool full"}),
        ("timeline", {"text": "Pool full"}),
        "/note Pool full",
        EACH_ITS_OWN,
        ("add_note", {"text": "Pool full"}),
    ),
    "full update": Verb(
        ("updates", {"text": "Found it", "status": "STATUS", "next_update_minutes": "30"}),
        ("updates", {"text": "Found it", "status": "identified", "next_update_minutes": 30}),
        No("its time is a command of its own"),
        EACH_ITS_OWN,
        No("its status and its timer are steps of their own"),
    ),
    "update with a status": Verb(
        ("updates", {"text": "Found it", "status": "STATUS"}),
        ("updates", {"text": "Found it", "status": "identified"}),
        "/status identified Found it",
        EACH_ITS_OWN,
        No("its status is a step of its own"),
    ),
    "update": Verb(
        ("updates", {"text": "Found it"}),
        ("updates", {"text": "Found it"}),
        "/update Found it",
        EACH_ITS_OWN,
        ("post_update", {"text": "Found it"}),
    ),
    "correct an update": Verb(
        ("updates/correct", {"update": "UPDATE", "text": "We think so"}),
        ("updates/{update}/correct", {"text": "We think so"}),
        "/correct We think so",
        EACH_ITS_OWN,
        BY_ITSELF,
        before="update",
    ),
    "timer": Verb(
        ("timer", {"minutes": "30"}),
        ("timer", {"minutes": 30}),
        "/timer 30",
        EACH_ITS_OWN,
        ("start_timer", {"minutes": 30}),
    ),
    "stop the timer": Verb(
        ("timer", {}), ("timer", {"minutes": None}), "/timer off", EACH_ITS_OWN, ("stop_timer", {}), before="timer"
    ),
    "status": Verb(
        ("status", {"status": "monitoring"}),
        ("status", {"status": "monitoring"}),
        "/status monitoring",
        EACH_ITS_OWN,
        ("set_status", {"status": "monitoring"}),
    ),
    "severity": Verb(
        ("severity", {"severity": "sev1"}),
        ("severity", {"severity": "sev1"}),
        "/severity sev1",
        EACH_ITS_OWN,
        ("set_severity", {"severity": "sev1"}),
    ),
    "type": Verb(
        ("type", {"incident_type": "security"}),
        ("type", {"incident_type": "security"}),
        "/type security",
        EACH_ITS_OWN,
        ("set_type", {"type": "security"}),
    ),
    "time": Verb(
        ("times", {**STARTED, "value": "2026-03-14T09:00:00"}),
        ("times", {**STARTED, "value": "2026-03-14T09:00:00Z"}),
        "/time started 2026-03-14T09:00 Logs",
        EACH_ITS_OWN,
        BY_ITSELF,
    ),
    "role": Verb(
        ("roles", {"role": "lead", "user": "PERSON"}),
        ("roles", {"role": "lead", "user": "PERSON"}),
        '/assign lead @"Bob Okafor"',
        EACH_ITS_OWN,
        ("set_role", {"role": "lead", "people": BOB}),
    ),
    "take a role": Verb(
        ("roles/take", {"role": "lead"}),
        ("roles/take", {"role": "lead"}),
        "/take lead",
        EACH_ITS_OWN,
        No("a workflow is nobody"),
    ),
    "service": Verb(
        ("services", {"service": "search", "impact": "major_outage"}),
        ("services", {"service": "search", "impact": "major_outage"}),
        "/service search major_outage",
        EACH_ITS_OWN,
        ("set_affected_service", {"service": "search", "impact": "major_outage"}),
    ),
    "custom field": Verb(
        ("fields", {"fields.region": "eu"}),
        ("fields", {"values": {"region": "eu"}}),
        "/field region eu",
        EACH_ITS_OWN,
        ("set_field", {"field": "region", "value": "eu"}),
        before="field",
    ),
    "summary": Verb(
        ("edit", {"summary": "Pool full"}),
        ("", {"summary": "Pool full"}),
        "/summary Pool full",
        EACH_ITS_OWN,
        No("people write it"),
    ),
    "facts": Verb(
        ("edit", {"impact": "No payments", "tickets": "4"}),
        ("", {"impact": "No payments", "tickets": 4}),
        No("edited in place"),
        EACH_ITS_OWN,
        No("people write them"),
    ),
    "action": Verb(
        ("todo", {"title": "Call the bank", "assignee": "PERSON"}),
        ("actions", {"title": "Call the bank", "assignee": "PERSON"}),
        '/action @"Bob Okafor" Call the bank',
        EACH_ITS_OWN,
        ("create_action", {"title": "Call the bank", "people": BOB}),
    ),
    "action done": Verb(
        ("todo/done", {"action": "ACTION"}),
        ("actions/{action}/done", {}),
        "/done 1",
        "incidentaction/complete",
        No("people do them"),
        before="action",
    ),
    "link": Verb(
        ("links", {"url": "https://example.com/pull/7", "title": "The fix"}),
        ("links", {"url": "https://example.com/pull/7", "title": "The fix"}),
        "/link https://example.com/pull/7 The fix",
        EACH_ITS_OWN,
        ("add_link", {"url": "https://example.com/pull/7", "title": "The fix"}),
    ),
    "follow": Verb(
        ("follow", {}),
        ("followers", {}),
        "/follow",
        EACH_ITS_OWN,
        ("follow", {"people": {"persons": ["ana@example.com"]}, "pace": "each"}),
    ),
    "unfollow": Verb(
        ("unfollow", {}), ("followers/remove", {}), "/follow off", EACH_ITS_OWN, No("people choose"), before="follow"
    ),
    "page": Verb(
        ("page", {"user": "PERSON"}),
        ("pages", {"user": "PERSON"}),
        '/page @"Bob Okafor"',
        EACH_ITS_OWN,
        ("page", {"people": BOB}),
    ),
    "visibility": Verb(
        ("visibility", {"visibility": "private"}),
        ("visibility", {"visibility": "private"}),
        "/private",
        EACH_ITS_OWN,
        ("set_visibility", {"visibility": "private"}),
    ),
    "member": Verb(
        ("members", {"user": "PERSON"}),
        ("members", {"user": "PERSON"}),
        '/invite @"Bob Okafor"',
        EACH_ITS_OWN,
        ("add_member", {"people": BOB}),
        before="private",
    ),
    "accept": Verb(("accept", {}), ("accept", {}), "/accept", "accept", ("accept", {}), before="triage"),
    "accept with a severity": Verb(
        ("accept", {"severity": "sev1"}),
        ("accept", {"severity": "sev1"}),
        "/accept sev1",
        EACH_ITS_OWN,
        ("accept", {"severity": "sev1"}),
        before="triage",
    ),
    "decline": Verb(
        ("decline", {"reason": "Noise"}),
        ("decline", {"reason": "Noise"}),
        "/decline Noise",
        "decline",
        ("decline", {"reason": "Noise"}),
        before="triage",
    ),
    "cancel": Verb(
        ("cancel", {"reason": "A drill"}),
        ("cancel", {"reason": "A drill"}),
        "/cancel A drill",
        "cancel",
        ("cancel", {"reason": "A drill"}),
    ),
    "mitigate": Verb(("mitigate", {}), ("mitigate", {}), "/mitigate", "mitigate", ("mitigate", {})),
    "resolve": Verb(("resolve", {}), ("resolve", {}), "/resolve", "resolve", ("resolve", {})),
    "resolve with a stream": Verb(
        ("resolve", {"confirmed": "on"}),
        ("resolve", {"confirmed": True}),
        "/resolve --confirm",
        "resolve",
        ("resolve", {"confirmed": True}),
        before="stream",
    ),
    "close": Verb(("close", {}), ("close", {}), "/close", "close", ("close", {}), before="resolved"),
    "reopen": Verb(("reopen", {}), ("reopen", {}), "/reopen", "reopen", ("reopen", {}), before="resolved"),
    "pause": Verb(
        ("pause", {"reason": "Night"}),
        ("pause", {"reason": "Night"}),
        "/pause Night",
        "pause",
        ("pause", {"reason": "Night"}),
    ),
    "continue": Verb(("resume", {}), ("resume", {}), "/continue", "go_on", ("resume", {}), before="paused"),
    "merge": Verb(
        ("merge", {"into": "OTHER", "reason": "Same"}),
        ("merge", {"into": "OTHER", "reason": "Same"}),
        "/merge #{other} Same",
        EACH_ITS_OWN,
        ("merge", {"into": "OTHER", "reason": "Same"}),
    ),
    "unmerge": Verb(
        ("unmerge", {"reason": "Not the same"}),
        ("unmerge", {"reason": "Not the same"}),
        "/unmerge Not the same",
        EACH_ITS_OWN,
        No("people judge"),
        before="merged",
    ),
    "stream": Verb(
        ("streams", {"name": "Disks", "lead": "PERSON"}),
        ("streams", {"name": "Disks", "lead": "PERSON"}),
        '/stream @"Bob Okafor" Disks',
        EACH_ITS_OWN,
        ("open_stream", {"name": "Disks", "lead": "bob@example.com"}),
    ),
    "decision": Verb(
        ("room", {"kind": "decision", "text": "We roll back"}),
        ("timeline", {"kind": "decision", "text": "We roll back"}),
        "/decision We roll back",
        EACH_ITS_OWN,
        No("people decide"),
    ),
    "hand over": Verb(
        ("roles", {"role": "lead", "user": "PERSON", "note": "The pool is full"}),
        ("roles", {"role": "lead", "user": "PERSON", "note": "The pool is full"}),
        No("its note is written beside it"),
        EACH_ITS_OWN,
        No("people hand over"),
        before="lead",
    ),
    "leave a role": Verb(
        ("roles/leave", {"role": "lead"}),
        ("roles/leave", {"role": "lead"}),
        "/assign lead nobody",
        EACH_ITS_OWN,
        No("a workflow is nobody"),
        before="lead",
    ),
    "take a member out": Verb(
        ("members/remove", {"user": "PERSON"}),
        ("members/remove", {"user": "PERSON"}),
        '/invite @"Bob Okafor" off',
        EACH_ITS_OWN,
        No("people decide who is out"),
        before="member",
    ),
    "page a service": Verb(
        ("services/page", {"service": "search"}),
        ("services/page", {"service": "search"}),
        "/page search",
        EACH_ITS_OWN,
        ("page", {"service": "search"}),
        before="policy",
    ),
    "give an action": Verb(
        ("todo/assign", {"action": "ACTION", "assignee": "PERSON"}),
        ("actions/{action}/assign", {"assignee": "PERSON"}),
        No("chosen beside it"),
        No("chosen beside it"),
        No("people do them"),
        before="action",
    ),
    "action not done after all": Verb(
        ("todo/reopen", {"action": "ACTION"}),
        ("actions/{action}/reopen", {}),
        No("a click beside it"),
        "incidentaction/reopen",
        No("people do them"),
        before="done",
    ),
    "take an action off": Verb(
        ("todo/remove", {"action": "ACTION"}),
        ("DELETE actions/{action}", {}),
        No("a click beside it"),
        "incidentaction/take_off",
        No("people do them"),
        before="action",
    ),
    "tick": Verb(
        ("checklist/tick", {"item": "assess-scope"}),
        ("PUT checklist/assess-scope", {}),
        No("a click beside it"),
        No("what is not ticked has no row"),
        No("people do them"),
    ),
    "untick": Verb(
        ("checklist/untick", {"item": "assess-scope"}),
        ("DELETE checklist/assess-scope", {}),
        No("a click beside it"),
        "checklisttick/untick",
        No("people do them"),
        before="tick",
    ),
    "take a link off": Verb(
        ("links/{link}/remove", {}),
        ("DELETE links/{link}", {}),
        No("a click beside it"),
        EACH_ITS_OWN,
        BY_ITSELF,
        before="link",
    ),
    "edit an entry": Verb(
        ("entries/{entry}", {"text": "Pool at 200", "occurred_at": "2026-03-14T09:26:53"}),
        ("PATCH timeline/{entry}", {"text": "Pool at 200"}),
        No("edited in place"),
        EACH_ITS_OWN,
        BY_ITSELF,
        before="note",
    ),
    "pin": Verb(
        ("entries/{entry}/mark", {"is_pinned": "true"}),
        ("PATCH timeline/{entry}", {"is_pinned": True}),
        "/pin #{entry}",
        EACH_ITS_OWN,
        No("people judge"),
        before="note",
    ),
    "keep out of the postmortem": Verb(
        ("entries/{entry}/mark", {"in_postmortem": "false"}),
        ("PATCH timeline/{entry}", {"in_postmortem": False}),
        No("a click on it"),
        "timelineentry/keep_out",
        No("people judge"),
        before="note",
    ),
    "react": Verb(
        ("entries/{entry}/react", {"emoji": "👍"}),
        ("timeline/{entry}/reactions", {"emoji": "👍"}),
        No("a click on it"),
        EACH_ITS_OWN,
        No("a workflow feels nothing"),
        before="note",
    ),
    "remove an entry": Verb(
        ("entries/{entry}/remove", {}),
        ("DELETE timeline/{entry}", {}),
        No("a click on it"),
        "timelineentry/remove",
        BY_ITSELF,
        before="note",
    ),
    "restore an entry": Verb(
        ("entries/{entry}/restore", {}),
        ("timeline/{entry}/restore", {}),
        No("a click on it"),
        "timelineentry/restore",
        BY_ITSELF,
        before="removed",
    ),
}
