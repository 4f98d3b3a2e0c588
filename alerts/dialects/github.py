"""GitHub's webhooks: changes that explain, and deployments and workflows that fail.

Follows the webhook schemas of octokit/webhooks. `X-GitHub-Event` says what it is; a body may be JSON, or a form whose
field `payload` holds the JSON. Signed by `X-Hub-Signature-256`, HMAC-SHA256 over the body with the webhook's secret.

| event | |
| --- | --- |
| `ping` | answered; nothing is stored |
| `push` to the default branch | a change |
| `pull_request`, closed and merged | a change |
| `deployment`, created | a change |
| `deployment_status` | `failure` and `error` fire, `success` resolves; the repository and the environment are the key |
| `workflow_run`, completed on the default branch | `failure`, `timed_out`, `startup_failure` fire, `success` resolves |

All else is taken and says nothing. The repository's name names the service.
"""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qs

from alerts.dialects.format import (
    LONGEST_TITLE,
    Dialect,
    DialectError,
    NormalisedEvent,
    Reply,
    Request,
    check_hmac,
    read_epoch,
    read_json,
    read_time,
    short_key,
)

EVENT, SIGNATURE = "X-GitHub-Event", "X-Hub-Signature-256"
COMMITS_KEPT = 20
LONGEST_SUMMARY = 1024
REMEDY = "Point a webhook of a repository or an organisation here."
FAILED_DEPLOYMENTS = {"failure", "error"}
FAILED_RUNS = {"failure", "timed_out", "startup_failure"}
WEBHOOK = """Payload URL: <address>
Content type: application/json
Secret: the signing secret of this source
Events: Pushes, Pull requests, Deployments, Deployment statuses, Workflow runs
"""


def check(request: Request, secret: str) -> None:
    """Raises DialectError unless the body is signed with the webhook's secret."""
    given = request.headers.get(SIGNATURE.lower(), "")
    check_hmac(request.body, secret, given.removeprefix("sha256="), SIGNATURE)


def greeting(request: Request) -> Reply | None:
    """The first thing that a webhook sends is answered and not kept."""
    if request.headers.get(EVENT.lower(), "") != "ping":
        return None
    return Reply(200, {"status": "ok", "message": "pong"})


def parse(request: Request) -> list[NormalisedEvent]:
    """The change or the alert of the body, if it is one; raises DialectError."""
    data = read_json(_document(request))
    if not isinstance(data, dict):
        raise DialectError("The body must be a JSON object.", remedy=REMEDY)
    reader = READERS.get(request.headers.get(EVENT.lower(), ""))
    found = reader(data, _Repository(data), request) if reader else None
    return [found] if found else []


def _document(request: Request) -> bytes:
    """The JSON: the body, or the field `payload` of a form."""
    if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        return request.body
    try:
        fields = parse_qs(request.body.decode())
    except (UnicodeDecodeError, ValueError) as error:
        raise DialectError("The form can't be read.", remedy=REMEDY) from error
    if "payload" not in fields:
        raise DialectError("The form needs the field payload.", field_name="payload", remedy=REMEDY)
    return fields["payload"][0].encode()


class _Repository:
    """The repository that an event is about."""

    def __init__(self, data: dict[str, Any]) -> None:
        found = _object(data, "repository")
        self.full_name = _text(found, "full_name")
        if not self.full_name:
            raise DialectError("A repository needs its full name.", field_name="repository.full_name", remedy=REMEDY)
        self.name = _text(found, "name") or self.full_name.rpartition("/")[2]
        self.branch = _text(found, "default_branch") or "main"
        self.pushed_at = str(found.get("pushed_at") or "")
        self.url = _text(found, "html_url")


def _object(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    if not isinstance(found, dict):
        raise DialectError(f"{name} must be an object.", field_name=name, remedy=REMEDY)
    return found


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _login(data: Mapping[str, Any], *names: str) -> str:
    """Who did it: the first of these that is there."""
    people = (data.get(name) for name in names)
    found = (_text(person, "login") or _text(person, "name") for person in people if isinstance(person, dict))
    return next((login for login in found if login), "")


def _change(
    request: Request, repository: _Repository, kind: str, summary: str, at: Any, **about: Any
) -> NormalisedEvent:
    """A change of a repository."""
    return NormalisedEvent(
        dedup_key=short_key(request.id),
        status="noted",
        title=summary[:LONGEST_SUMMARY],
        service=repository.name,
        started_at=at,
        attributes={"kind": kind, **about},
    )


def _push(data: dict[str, Any], repository: _Repository, request: Request) -> NormalisedEvent | None:
    if data.get("ref") != f"refs/heads/{repository.branch}" or data.get("deleted"):
        return None
    commits = data.get("commits")
    listed = [each for each in commits if isinstance(each, dict)] if isinstance(commits, list) else []
    head = data.get("head_commit") if isinstance(data.get("head_commit"), dict) else {}
    words = _text(head or {}, "message").partition("\n")[0] or _text(data, "after")[:12]
    more = f" and {len(listed) - 1} more" if len(listed) > 1 else ""
    messages = [_text(each, "message").partition("\n")[0] for each in listed[:COMMITS_KEPT]]
    return _change(
        request,
        repository,
        "push",
        f"{repository.full_name} {repository.branch}: {words}{more}",
        read_epoch(repository.pushed_at),
        author=_login(data, "sender", "pusher"),
        links=[{"href": _text(data, "compare"), "text": "Compare"}],
        details={"before": _text(data, "before"), "after": _text(data, "after"), "commits": messages},
    )


def _pull_request(data: dict[str, Any], repository: _Repository, request: Request) -> NormalisedEvent | None:
    pull = _object(data, "pull_request")
    if data.get("action") != "closed" or pull.get("merged") is not True:
        return None
    number, base = _text(pull, "number"), pull.get("base")
    return _change(
        request,
        repository,
        "pull_request",
        f"{repository.full_name} #{number}: {_text(pull, 'title')}",
        read_time(pull.get("merged_at"), "pull_request.merged_at"),
        author=_login(pull, "merged_by", "user"),
        links=[{"href": _text(pull, "html_url"), "text": f"#{number}"}],
        details={
            "base": _text(base, "ref") if isinstance(base, dict) else "",
            "commit": _text(pull, "merge_commit_sha"),
        },
    )


def _deployment(data: dict[str, Any], repository: _Repository, request: Request) -> NormalisedEvent | None:
    if data.get("action", "created") != "created":
        return None
    deployment = _object(data, "deployment")
    ref, environment = _text(deployment, "ref"), _text(deployment, "environment")
    return _change(
        request,
        repository,
        "deployment",
        f"{repository.full_name} {ref} to {environment or 'an environment'}",
        read_time(deployment.get("created_at"), "deployment.created_at"),
        author=_login(deployment, "creator") or _login(data, "sender"),
        links=[{"href": f"{repository.url}/deployments", "text": "Deployments"}] if repository.url else [],
        details={name: _text(deployment, name) for name in ("sha", "ref", "environment", "task", "description")},
    )


def _deployment_status(data: dict[str, Any], repository: _Repository, request: Request) -> NormalisedEvent | None:
    told, deployment = _object(data, "deployment_status"), _object(data, "deployment")
    status = _status(_text(told, "state"), FAILED_DEPLOYMENTS)
    if status is None:
        return None
    environment = _text(told, "environment") or _text(deployment, "environment")
    at = read_time(told.get("created_at"), "deployment_status.created_at")
    return NormalisedEvent(
        dedup_key=short_key(f"deployment {repository.full_name} {environment}"),
        status=status,
        title=f"Deployment of {repository.full_name} to {environment} failed"[:LONGEST_TITLE],
        description=_text(told, "description"),
        severity="error",
        service=repository.name,
        source_url=_text(told, "log_url") or _text(told, "target_url"),
        started_at=at,
        ended_at=at if status == "resolved" else None,
        attributes={
            "repository": repository.full_name,
            "environment": environment,
            "ref": _text(deployment, "ref"),
            "commit": _text(deployment, "sha"),
            "author": _login(deployment, "creator") or _login(data, "sender"),
        },
    )


def _workflow_run(data: dict[str, Any], repository: _Repository, request: Request) -> NormalisedEvent | None:
    run = _object(data, "workflow_run")
    home = run.get("head_repository")
    is_own = not isinstance(home, dict) or _text(home, "full_name") in {"", repository.full_name}
    if data.get("action") != "completed" or _text(run, "head_branch") != repository.branch or not is_own:
        return None
    status = _status(_text(run, "conclusion"), FAILED_RUNS)
    if status is None:
        return None
    at = read_time(run.get("updated_at"), "workflow_run.updated_at")
    return NormalisedEvent(
        dedup_key=short_key(f"workflow {repository.full_name} {_text(run, 'workflow_id') or _text(run, 'name')}"),
        status=status,
        title=f"{_text(run, 'name') or 'Workflow'} of {repository.full_name} failed"[:LONGEST_TITLE],
        description=_text(run, "display_title"),
        severity="error",
        service=repository.name,
        source_url=_text(run, "html_url"),
        started_at=at,
        ended_at=at if status == "resolved" else None,
        attributes={
            "repository": repository.full_name,
            "branch": repository.branch,
            "commit": _text(run, "head_sha"),
            "conclusion": _text(run, "conclusion"),
            "author": _login(run, "actor") or _login(data, "sender"),
        },
    )


def _status(state: str, failed: set[str]) -> Literal["firing", "resolved"] | None:
    """What a state says of what may have failed; None for what says nothing yet, or never."""
    if state in failed:
        return "firing"
    return "resolved" if state == "success" else None


READERS = {
    "push": _push,
    "pull_request": _pull_request,
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "workflow_run": _workflow_run,
}

DIALECT = Dialect(
    name="github",
    label="GitHub",
    about="Pushes, merged pull requests and deployments as changes; failed deployments and workflows as alerts.",
    addresses=("github/<token>",),
    parse=parse,
    check=check,
    greeting=greeting,
    keeps=frozenset({EVENT.lower(), "x-github-delivery"}),
    sample={
        "action": "created",
        "deployment_status": {"state": "failure", "environment": "production", "description": "Health checks failed"},
        "deployment": {"id": 145988746, "ref": "main", "environment": "production", "task": "deploy"},
        "repository": {"name": "payments", "full_name": "example/payments", "default_branch": "main"},
        "sender": {"login": "ana"},
    },
    sample_headers={EVENT: "deployment_status"},
    guides=(("Settings, Webhooks, Add webhook", WEBHOOK),),
)
