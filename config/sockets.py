"""Which websocket address leads to which consumer."""

from django.urls import path

from incidents.consumers import IncidentConsumer

websocket_urlpatterns = [
    path("ws/incidents/<int:number>/", IncidentConsumer.as_asgi()),
]
