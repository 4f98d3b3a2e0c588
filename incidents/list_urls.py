"""The addresses of the lists of incidents, and of what their pages change in place."""

from django.urls import path

from incidents.views import inline

urlpatterns = [
    path("incidents/<int:number>/set/", inline.set_value, name="set"),
]
