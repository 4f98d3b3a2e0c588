"""The addresses of an incident's room."""

from django.urls import path

from incidents.views import room

urlpatterns = [
    path("incidents/<int:number>/room/", room.write, name="write"),
    path("incidents/<int:number>/room/completions/", room.completions, name="completions"),
    path("incidents/<int:number>/entries/<int:sequence>/", room.entry, name="entry"),
    path("incidents/<int:number>/entries/<int:sequence>/mark/", room.mark_entry, name="entry-mark"),
    path("incidents/<int:number>/entries/<int:sequence>/remove/", room.remove_entry, name="entry-remove"),
    path("incidents/<int:number>/entries/<int:sequence>/restore/", room.restore_entry, name="entry-restore"),
    path("incidents/<int:number>/entries/<int:sequence>/react/", room.react, name="entry-react"),
    path("incidents/files/<uuid:public_id>/", room.file, name="file"),
    path("incidents/<int:number>/links/", room.add_link, name="links"),
    path("incidents/<int:number>/links/<int:pk>/remove/", room.remove_link, name="link-remove"),
    path("incidents/<int:number>/timeline.<str:form>", room.export_timeline, name="timeline-export"),
]
