"""The page on which administrators see what handlers could not do, and try it again."""

import django_filters
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actor import Actor, actor_of
from accounts.lists import ListFilter, list_page
from accounts.models import Role, Scope
from accounts.rest import ActionViewSet
from events.actions import retry_delivery
from events.errors import require
from events.models import Delivery

REFUSED = "Only administrators may look at deliveries."


def may_look(actor: Actor) -> bool:
    return actor.has_role(Role.ADMINISTRATOR)


class DeliveryFilter(ListFilter):
    search_fields = ("handler", "last_error", "event__name")

    state = django_filters.MultipleChoiceFilter(choices=Delivery.State.choices, label=gettext_lazy("State"))

    class Meta:
        model = Delivery
        fields: list[str] = []


def delivery_list(request: HttpRequest) -> HttpResponse:
    """What gave up, unless asked for more; with counts of each state that matters."""
    require(may_look(actor_of(request)), REFUSED)
    if not request.GET:
        return HttpResponseRedirect(f"{request.path}?state=dead")
    deliveries = Delivery.objects.select_related("event").order_by("-id")
    listing = list_page(request, deliveries, DeliveryFilter, sortable=("due_at", "attempts", "handler"))
    waiting = Delivery.objects.filter(state__in=[Delivery.State.PENDING, Delivery.State.RUNNING]).count()
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).count()
    states = set(request.GET.getlist("state"))
    context = {
        "list": listing,
        "waiting": waiting,
        "dead": dead,
        "only_dead": states == {Delivery.State.DEAD},
        "only_waiting": states == {Delivery.State.PENDING, Delivery.State.RUNNING},
        "only_done": states == {Delivery.State.DONE},
    }
    return render(request, "config/deliveries.html", context)


@require_POST
def delivery_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes one delivery due again."""
    require(may_look(actor_of(request)), REFUSED)
    retry_delivery(delivery=get_object_or_404(Delivery, pk=pk), now=timezone.now())
    messages.success(request, _("The delivery is being tried again."))
    return HttpResponseRedirect(reverse("deliveries"))


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One handler's copy of one event."""

    event_name = serializers.CharField(source="event.name", read_only=True)

    class Meta:
        model = Delivery
        fields = ["id", "event", "event_name", "handler", "state", "attempts", "due_at", "done_at", "last_error"]


class DeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Deliveries of the outbox, for administrators."""

    write_scope = Scope.ACCOUNTS
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    ordering_fields = ["id", "due_at", "attempts"]
    queryset = Delivery.objects.select_related("event")

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        require(may_look(self.actor), REFUSED)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Makes a delivery that gave up due again."""
        return self.answer(retry_delivery(delivery=self.get_object(), now=timezone.now()))
