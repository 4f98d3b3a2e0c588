"""Who is acting, and through what: a value that every action takes and every change records."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from accounts.models import Role, User

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import ApiKey
    from events.models import Event

Kind = Literal["user", "api_key", "alert_source", "workflow", "system"]


@dataclass(frozen=True)
class Actor:
    """A user, an API key, an alert source, a workflow or Sitrep itself.

    `key` identifies it within its kind, `via` is the way in (web, api, admin, email, webhook, command, …),
    `role` is what it may do and `user_id` the person behind it, if there is one.
    """

    kind: Kind
    key: str
    name: str
    via: str
    role: Role
    user_id: int | None = None

    @classmethod
    def of_user(cls, user: User, *, via: str) -> "Actor":
        return cls("user", str(user.pk), user.display_name, via, Role(user.role), user.pk)

    @classmethod
    def of_api_key(cls, api_key: "ApiKey") -> "Actor":
        user = api_key.user
        return cls("api_key", str(api_key.pk), f"{user.display_name} ({api_key.name})", "api", Role(user.role), user.pk)

    @classmethod
    def of_alert_source(cls, source_id: int, name: str) -> "Actor":
        return cls("alert_source", str(source_id), name, "webhook", Role.RESPONDER)

    @classmethod
    def of_workflow(cls, workflow_id: int, name: str, run_id: int = 0) -> "Actor":
        """A run of a workflow: its key tells both, so that what it causes is known to be its doing."""
        return cls("workflow", f"{workflow_id}/{run_id}", name, "workflow", Role.ADMINISTRATOR)

    @classmethod
    def of_event(cls, event: "Event") -> "Actor":
        """Whoever did what a recorded event tells, to be named again; it may do nothing by itself."""
        user_id = int(event.actor_key) if event.actor_kind == "user" else None
        kind = cast(Kind, event.actor_kind)
        return cls(kind, event.actor_key, event.actor_name, event.via, Role.VIEWER, user_id)

    @classmethod
    def system(cls, name: str = "Sitrep", *, via: str = "system") -> "Actor":
        return cls("system", "", name, via, Role.OWNER)

    @property
    def person_id(self) -> int:
        """The person's id to look rows up by; without a person an id that no row has."""
        return self.user_id or 0

    def has_role(self, role: Role) -> bool:
        """Whether the actor may do at least what `role` may."""
        return self.role.rank >= role.rank

    @property
    def sees_everything(self) -> bool:
        """Whether private things are open to it: only to Sitrep's own machinery, never to a person by rank."""
        return self.kind in {"system", "workflow", "alert_source"}


def actor_of(request: "HttpRequest", *, via: str = "web") -> Actor:
    """The actor behind a signed-in web request."""
    if not isinstance(request.user, User):
        raise TypeError("actor_of() needs a signed-in request.")
    return Actor.of_user(request.user, via=via)
