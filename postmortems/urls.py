"""Where postmortems and action items are."""

from django.urls import URLPattern

app_name = "postmortems"
urlpatterns: list[URLPattern] = []
