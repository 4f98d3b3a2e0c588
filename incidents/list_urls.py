"""The addresses of the lists of incidents, and of what their pages change in place."""

from django.urls import path

from incidents.views import inline, lists

urlpatterns = [
    path("incidents/", lists.incident_list, name="list"),
    path("incidents/board/", lists.board, name="board"),
    path("incidents/wall/", lists.wall, name="wall"),
    path("incidents/export.csv", lists.export, name="csv"),
    path("incidents/<int:number>/set/", inline.set_value, name="set"),
]
