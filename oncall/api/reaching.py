"""How people are reached, in the REST API: contact methods, notification rules, quiet hours."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role, Scope, User
from accounts.rest import ActionViewSet, WholeMixin
from oncall import contact_methods
from oncall.contact_methods import RuleDraft
from oncall.filters import ContactMethodFilter, NotificationRuleFilter, QuietHoursFilter
from oncall.models import ContactMethod, NotificationRule, OnCallProfile, Urgency
from oncall.reaching import proof_state, send_test

PROOF_STATES = ["proved", "old", "missing"]


class ContactMethodSerializer(serializers.ModelSerializer[ContactMethod]):
    """A way to reach a person; oneself unless `user` is given.

    `kind` decides what `address` is: an e-mail address, a phone number (+49…), the address of a webhook or of an
    Apprise service, which is shown with its secrets masked. A push notification takes the browser's `subscription`
    instead. Nothing is paged through a method until `verified_at` is set: post the code that was sent to `verify/`.
    """

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)
    subscription = serializers.DictField(write_only=True, required=False)
    proof = serializers.SerializerMethodField()

    class Meta:
        model = ContactMethod
        fields = [
            *("id", "user", "kind", "address", "label", "subscription", "is_enabled", "is_usable", "verified_at"),
            *("code_sent_at", "proof", "proved_at", "proof_sent_at", "broken_reason", "created_at"),
        ]
        read_only_fields = [
            *("is_enabled", "is_usable", "verified_at", "code_sent_at", "proved_at", "proof_sent_at"),
            *("broken_reason", "created_at"),
        ]
        validators: list[Any] = []

    @extend_schema_field(serializers.ChoiceField(choices=PROOF_STATES))
    def get_proof(self, method: ContactMethod) -> str:
        return proof_state(method, timezone.now())


class NewContactMethodSerializer(ContactMethodSerializer):
    """A contact method that was just added; a webhook's signing secret is shown this once."""

    secret = serializers.SerializerMethodField()

    class Meta(ContactMethodSerializer.Meta):
        fields = [*ContactMethodSerializer.Meta.fields, "secret"]

    @extend_schema_field(serializers.CharField())
    def get_secret(self, method: ContactMethod) -> str:
        return method.secret if method.kind == ContactMethod.Kind.WEBHOOK else ""


class ContactMethodChangeSerializer(serializers.Serializer[Any]):
    """Switching off or on."""

    is_enabled = serializers.BooleanField()


class RenewalSerializer(serializers.Serializer[Any]):
    """What a browser knows when it has replaced its push subscription: where the old one led, and the new one."""

    old_endpoint = serializers.CharField(max_length=2000)
    subscription = serializers.DictField(help_text="What `PushSubscription.toJSON()` gives.")


class CodeSerializer(serializers.Serializer[Any]):
    """The code that was sent through the method."""

    code = serializers.CharField(max_length=20)


class SecretSerializer(serializers.Serializer[Any]):
    """A signing secret, shown this once."""

    secret = serializers.CharField()


class SendResultSerializer(serializers.Serializer[Any]):
    """What came of sending a test page or a code, and who took it."""

    outcome = serializers.ChoiceField(choices=["accepted", "failed", "refused"])
    detail = serializers.CharField()
    provider = serializers.CharField()


class ContactMethodViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """One's own contact methods; administrators see everybody's."""

    queryset = ContactMethod.objects.none()
    serializer_class = ContactMethodSerializer
    filterset_class = ContactMethodFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "kind", "created_at", "proved_at"]

    def get_queryset(self) -> QuerySet[ContactMethod]:
        if getattr(self, "swagger_fake_view", False):
            return ContactMethod.objects.none()
        found = ContactMethod.objects.select_related("user").order_by("-id")
        return found if self.actor.has_role(Role.ADMINISTRATOR) else found.filter(user_id=self.actor.person_id)

    @extend_schema(responses={201: NewContactMethodSerializer})
    def create(self, request: Request) -> Response:
        """Adds a way to reach a person and sends the code that verifies it."""
        given = self.validated()
        user = given.pop("user", None) or User.objects.get(pk=self.actor.person_id)
        made = contact_methods.add_contact_method(actor=self.actor, user=user, now=timezone.now(), **given)
        return Response(NewContactMethodSerializer(made, context=self.get_serializer_context()).data, status=201)

    @extend_schema(request=ContactMethodChangeSerializer, responses=ContactMethodSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        given = self.validated(ContactMethodChangeSerializer)
        method = self.get_object()
        contact_methods.set_contact_method_enabled(actor=self.actor, method=method, **given)
        return self.answer(method)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        contact_methods.remove_contact_method(actor=self.actor, method=self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses=SendResultSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Sends a test page and says what came of it."""
        result = send_test(actor=self.actor, method=self.get_object(), now=timezone.now())
        return Response(SendResultSerializer(result).data)

    @extend_schema(request=None, responses=SendResultSerializer)
    @action(detail=True, methods=["post"], url_path="send-code")
    def send_code(self, request: Request, pk: str) -> Response:
        """Sends a new code; the one before is void."""
        result = contact_methods.send_code(actor=self.actor, method=self.get_object(), now=timezone.now())
        return Response(SendResultSerializer(result).data)

    @extend_schema(request=RenewalSerializer, responses=ContactMethodSerializer)
    @action(detail=False, methods=["post"], url_path="renew-subscription", filter_backends=[], pagination_class=None)
    def renew_subscription(self, request: Request) -> Response:
        """Puts a browser's new push subscription in the place of its old one, which names the method: one's own.

        It needs no new code, keeps its rules, and is to be proved again. Renewing again changes nothing.
        """
        user, given = User.objects.get(pk=self.actor.person_id), self.validated(RenewalSerializer)
        renewed = contact_methods.renew_subscription(actor=self.actor, user=user, now=timezone.now(), **given)
        return self.answer(renewed)

    @extend_schema(request=CodeSerializer, responses=ContactMethodSerializer)
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: str) -> Response:
        """Verifies the method with the code that was sent through it."""
        given = self.validated(CodeSerializer)
        method = self.get_object()
        contact_methods.verify_contact_method(actor=self.actor, method=method, now=timezone.now(), **given)
        return self.answer(method)

    @extend_schema(request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Gives a webhook a new signing secret."""
        secret = contact_methods.rotate_secret(actor=self.actor, method=self.get_object())
        return Response(SecretSerializer({"secret": secret}).data)


class NotificationRuleSerializer(serializers.ModelSerializer[NotificationRule]):
    """A step: through what a person is paged, how many minutes after the page was decided."""

    class Meta:
        model = NotificationRule
        fields = ["id", "user", "urgency", "position", "delay_minutes", "contact_method"]
        read_only_fields = fields


class StepSerializer(WholeMixin, serializers.Serializer[Any]):
    """One step, as it is given."""

    contact_method = serializers.PrimaryKeyRelatedField(queryset=ContactMethod.objects.all())
    delay_minutes = serializers.IntegerField(min_value=0, max_value=contact_methods.LONGEST_DELAY_MINUTES)

    def to_internal_value(self, data: Any) -> Any:
        return RuleDraft(**super().to_internal_value(data))


class StepsSerializer(serializers.Serializer[Any]):
    """All steps of one person at one urgency; those before are replaced. Oneself unless `user` is given."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)
    urgency = serializers.ChoiceField(choices=Urgency.choices)
    steps = StepSerializer(many=True)


class NotificationRuleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """One's own notification rules; administrators see everybody's. Without a rule every method is used at once."""

    queryset = NotificationRule.objects.none()
    serializer_class = NotificationRuleSerializer
    filterset_class = NotificationRuleFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "delay_minutes"]

    def get_queryset(self) -> QuerySet[NotificationRule]:
        if getattr(self, "swagger_fake_view", False):
            return NotificationRule.objects.none()
        found = NotificationRule.objects.order_by("-id")
        return found if self.actor.has_role(Role.ADMINISTRATOR) else found.filter(user_id=self.actor.person_id)

    @extend_schema(request=StepsSerializer, responses={201: NotificationRuleSerializer(many=True)})
    def create(self, request: Request) -> Response:
        """Replaces the steps of one urgency and returns them."""
        given = self.validated(StepsSerializer)
        user = given.pop("user", None) or User.objects.get(pk=self.actor.person_id)
        rules = contact_methods.save_notification_rules(actor=self.actor, user=user, **given)
        return Response(NotificationRuleSerializer(rules, many=True).data, status=201)


class QuietHoursSerializer(serializers.ModelSerializer[OnCallProfile]):
    """When low urgency stays quiet, in wall-clock times of the person's zone; oneself unless `user` is given."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)
    digest_at = serializers.TimeField(format="%H:%M", required=False)

    class Meta:
        model = OnCallProfile
        fields = ["id", "user", "country", "quiet_from", "quiet_until", "digest_at"]
        validators: list[Any] = []


class QuietHoursViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """One's own quiet hours; administrators see everybody's."""

    queryset = OnCallProfile.objects.none()
    serializer_class = QuietHoursSerializer
    filterset_class = QuietHoursFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id"]

    def get_queryset(self) -> QuerySet[OnCallProfile]:
        if getattr(self, "swagger_fake_view", False):
            return OnCallProfile.objects.none()
        found = OnCallProfile.objects.order_by("-id")
        return found if self.actor.has_role(Role.ADMINISTRATOR) else found.filter(user_id=self.actor.person_id)

    @extend_schema(responses={201: QuietHoursSerializer})
    def create(self, request: Request) -> Response:
        """Sets a person's quiet hours, whether they had some or not."""
        given = {"quiet_from": None, "quiet_until": None, "digest_at": contact_methods.DIGEST_AT, **self.validated()}
        user = given.pop("user", None) or User.objects.get(pk=self.actor.person_id)
        return self.answer(contact_methods.save_quiet_hours(actor=self.actor, user=user, **given), status=201)
