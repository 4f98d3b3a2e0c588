"""Who follows an incident, in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.rest import ActionViewSet
from events.errors import Invalid
from incidents import followers
from incidents.api.naming import person
from incidents.api.reading import PersonSerializer
from incidents.models import IncidentFollower


class FollowerSerializer(serializers.ModelSerializer[IncidentFollower]):
    """Somebody who is told what is new."""

    user = PersonSerializer(read_only=True)

    class Meta:
        model = IncidentFollower
        fields = ["user", "pace", "since"]


class FollowSerializer(serializers.Serializer[Any]):
    """Follows the incident; `user` is the caller unless given."""

    user = person(required=False)
    pace = serializers.ChoiceField(choices=IncidentFollower.Pace.choices, required=False)


class UnfollowSerializer(serializers.Serializer[Any]):
    """Follows it no more; `user` is the caller unless given."""

    user = person(required=False)


class FollowersMixin(ActionViewSet):
    """Who is told what is new in an incident."""

    @extend_schema(responses=FollowerSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], url_path="followers")
    def list_followers(self, request: Request, number: str) -> Response:
        page = self.paginate_queryset(self.get_object().followers.select_related("user"))
        return self.get_paginated_response(FollowerSerializer(page, many=True).data)

    @extend_schema(request=FollowSerializer, responses={201: FollowerSerializer})
    @list_followers.mapping.post
    def follow(self, request: Request, number: str) -> Response:
        data = self.validated(FollowSerializer)
        user = data.pop("user", None) or self._caller()
        made = followers.follow(actor=self.actor, incident=self.get_object(), user=user, now=timezone.now(), **data)
        return Response(FollowerSerializer(made).data, status=201)

    @extend_schema(request=UnfollowSerializer, responses={204: None})
    @action(detail=True, methods=["post"], url_path="followers/remove")
    def unfollow(self, request: Request, number: str) -> Response:
        user = self.validated(UnfollowSerializer).get("user") or self._caller()
        followers.unfollow(actor=self.actor, incident=self.get_object(), user=user, now=timezone.now())
        return Response(status=204)

    def _caller(self) -> User:
        user = User.objects.filter(pk=self.actor.person_id).first()
        if user is None:
            raise Invalid("Nobody is behind this key.", field="user", remedy="Name a user.")
        return user
