"""The address of the door for webhooks."""

from django.urls import path

from workflows.hooks import receive

urlpatterns = [path("hooks/workflows/<str:token>", receive, name="workflow-hook")]
