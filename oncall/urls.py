"""The addresses of on-call."""

from django.urls import path

from oncall.views import answer

app_name = "oncall"

urlpatterns = [
    path("p/<str:token>/", answer.answer, name="answer"),
]
