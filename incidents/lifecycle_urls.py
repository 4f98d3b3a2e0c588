"""The addresses of the lifecycle."""

from django.urls import path

from incidents.views import lifecycle

urlpatterns = [
    path("incidents/<int:number>/accept/", lifecycle.accept, name="accept"),
    path("incidents/<int:number>/decline/", lifecycle.decline, name="decline"),
    path("incidents/<int:number>/cancel/", lifecycle.cancel, name="cancel"),
    path("incidents/<int:number>/mitigate/", lifecycle.mitigate, name="mitigate"),
    path("incidents/<int:number>/resolve/", lifecycle.resolve, name="resolve"),
    path("incidents/<int:number>/close/", lifecycle.close, name="close"),
    path("incidents/<int:number>/reopen/", lifecycle.reopen, name="reopen"),
    path("incidents/<int:number>/merge/", lifecycle.merge, name="merge"),
    path("incidents/<int:number>/unmerge/", lifecycle.unmerge, name="unmerge"),
    path("incidents/<int:number>/streams/", lifecycle.declare_stream, name="stream"),
    path("incidents/<int:number>/pause/", lifecycle.pause, name="pause"),
    path("incidents/<int:number>/resume/", lifecycle.resume, name="resume"),
    path("incidents/<int:number>/type/", lifecycle.change_type, name="type"),
    path("incidents/<int:number>/times/", lifecycle.set_time, name="time"),
]
