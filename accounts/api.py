"""People, teams and API keys in the REST API."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions, saved_views
from accounts.actor import Actor
from accounts.filters import ApiKeyFilter, PersonFilter, SavedViewFilter, TeamFilter
from accounts.models import ApiKey, Membership, Role, SavedView, Scope, Team, User
from accounts.rest import ActionViewSet


class UserSerializer(serializers.ModelSerializer[User]):
    """A person; `teams` are slugs."""

    teams = serializers.SlugRelatedField[Team](slug_field="slug", many=True, read_only=True)

    class Meta:
        model = User
        fields = ["id", "email", "name", "role", "time_zone", "locale", "is_active", "teams", "date_joined"]
        read_only_fields = fields


class NewUserSerializer(serializers.Serializer[Any]):
    """A new person, who chooses a password through "forgot password"."""

    email = serializers.EmailField()
    name = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.RESPONDER)
    time_zone = serializers.CharField(max_length=64, default="UTC")


class UserChangeSerializer(serializers.Serializer[Any]):
    """What a person may do, how they are named, where they are. Only what is given changes."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)
    name = serializers.CharField(max_length=150, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    locale = serializers.CharField(max_length=10, required=False)


@transaction.atomic
def change_user(*, actor: Actor, user: User, given: dict[str, Any]) -> None:
    """Calls the action for what is given: the role and state, or the profile."""
    if "role" in given or "is_active" in given:
        role = Role(given["role"]) if "role" in given else None
        actions.change_user(actor=actor, user=user, now=timezone.now(), role=role, is_active=given.get("is_active"))
    profile: dict[str, str] = {name: getattr(user, name) for name in ("name", "time_zone", "locale")}
    if profile.keys() & given.keys():
        changed = {name: given.get(name, value) for name, value in profile.items()}
        actions.update_profile(actor=actor, user=user, **changed)


class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """People."""

    queryset = User.objects.prefetch_related("teams").order_by("-id")
    serializer_class = UserSerializer
    filterset_class = PersonFilter
    write_scope = Scope.ACCOUNTS
    ordering_fields = ["id", "name", "email", "role"]

    @extend_schema(request=NewUserSerializer, responses={201: UserSerializer})
    def create(self, request: Request) -> Response:
        given = self.validated(NewUserSerializer)
        invited = actions.invite_user(actor=self.actor, **{**given, "role": Role(given["role"])})
        return self.answer(invited, status=201)

    @extend_schema(request=UserChangeSerializer, responses=UserSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        given = self.validated(UserChangeSerializer)
        user = self.get_object()
        change_user(actor=self.actor, user=user, given=given)
        return self.answer(user)


class MeViewSet(ActionViewSet):
    """The person behind the request."""

    queryset = User.objects.prefetch_related("teams")
    serializer_class = UserSerializer
    write_scope = Scope.ACCOUNTS
    filter_backends = ()
    pagination_class = None

    @extend_schema(operation_id="me_retrieve", responses=UserSerializer)
    def list(self, request: Request) -> Response:
        """Whom the key or the session belongs to."""
        return self.answer(request.user)


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    """A person's place in a team."""

    name = serializers.CharField(source="user.display_name", read_only=True)

    class Meta:
        model = Membership
        fields = ["user", "name", "role"]
        read_only_fields = fields


class TeamSerializer(serializers.ModelSerializer[Team]):
    """A team; `members` are ids of people and replace who was in it."""

    slug = serializers.SlugField(max_length=100, required=False)
    members = serializers.PrimaryKeyRelatedField(
        many=True, queryset=User.objects.all(), required=False, write_only=True
    )
    memberships = MembershipSerializer(many=True, read_only=True)

    class Meta:
        model = Team
        fields = ["id", "slug", "name", "description", "members", "memberships"]
        # The action answers what is taken, in words that say what to do.
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}


class TeamViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Teams, by slug."""

    queryset = Team.objects.prefetch_related(
        Prefetch("memberships", Membership.objects.select_related("user").order_by("id"))
    ).order_by("-id")
    serializer_class = TeamSerializer
    filterset_class = TeamFilter
    write_scope = Scope.ACCOUNTS
    ordering_fields = ["id", "name"]
    lookup_field = "slug"

    def create(self, request: Request) -> Response:
        given = self.validated()
        given.setdefault("slug", slugify(given["name"]))
        return self.answer(actions.save_team(actor=self.actor, **given), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        team = self.get_object()
        serializer = self.get_serializer(team, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        kept = {name: getattr(team, name) for name in ("name", "slug", "description")}
        return self.answer(actions.save_team(actor=self.actor, team=team, **{**kept, **serializer.validated_data}))


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """An API key without its secret."""

    class Meta:
        model = ApiKey
        fields = [
            *("id", "user", "name", "prefix", "scopes"),
            *("created_at", "last_used_at", "expires_at", "revoked_at"),
        ]
        read_only_fields = fields


class NewApiKeySerializer(serializers.Serializer[Any]):
    """A new key of the signed-in person; keys can't make keys."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices), allow_empty=False)
    days = serializers.IntegerField(min_value=1, max_value=3650, required=False, allow_null=True)


class MadeApiKeySerializer(ApiKeySerializer):
    """A key that was just made, with its secret, which is shown this once."""

    key = serializers.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]
        read_only_fields = fields


class ApiKeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """One's own API keys; administrators see everybody's."""

    queryset = ApiKey.objects.none()
    serializer_class = ApiKeySerializer
    filterset_class = ApiKeyFilter
    write_scope = Scope.ACCOUNTS
    ordering_fields = ["id", "name", "created_at", "last_used_at"]

    def get_queryset(self) -> QuerySet[ApiKey]:
        if getattr(self, "swagger_fake_view", False):
            return ApiKey.objects.none()
        return ApiKey.objects.visible_to(self.actor).order_by("-id")

    @extend_schema(request=NewApiKeySerializer, responses={201: MadeApiKeySerializer})
    def create(self, request: Request) -> Response:
        given = self.validated(NewApiKeySerializer)
        days = given.get("days")
        made, secret = actions.create_api_key(
            actor=self.actor,
            user=User.objects.get(pk=self.actor.user_id or 0),
            name=given["name"],
            scopes=given["scopes"],
            lifetime=timedelta(days=days) if days else None,
            now=timezone.now(),
        )
        return Response({**self.get_serializer(made).data, "key": secret}, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Revokes the key for good; it stays in the list."""
        actions.revoke_api_key(actor=self.actor, api_key=self.get_object(), now=timezone.now())
        return Response(status=204)


class SavedViewSerializer(serializers.ModelSerializer[SavedView]):
    """What a list is searched, filtered and sorted by, under a name. Saving one's own name again replaces it."""

    class Meta:
        model = SavedView
        fields = ["id", "owner", "list_name", "name", "query", "is_shared", "created_at"]
        read_only_fields = ["owner", "created_at"]


class SavedViewViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """One's own saved views, and those that are shared with everybody."""

    queryset = SavedView.objects.none()
    serializer_class = SavedViewSerializer
    filterset_class = SavedViewFilter
    write_scope = Scope.ACCOUNTS
    ordering_fields = ["id", "name"]

    def get_queryset(self) -> QuerySet[SavedView]:
        if getattr(self, "swagger_fake_view", False):
            return SavedView.objects.none()
        return SavedView.objects.visible_to(self.actor).order_by("-id")

    @extend_schema(responses={201: SavedViewSerializer})
    def create(self, request: Request) -> Response:
        kept = saved_views.save_view(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(kept, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        saved_views.remove_view(actor=self.actor, view=self.get_object())
        return Response(status=204)


routes: list[tuple[str, type[ActionViewSet], str]] = [
    ("users", UserViewSet, "user"),
    ("me", MeViewSet, "me"),
    ("teams", TeamViewSet, "team"),
    ("api-keys", ApiKeyViewSet, "api-key"),
    ("saved-views", SavedViewViewSet, "saved-view"),
]
