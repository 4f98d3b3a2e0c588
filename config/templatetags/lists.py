"""What a list page is filtered, sorted and paged with: `{% load lists %}`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms, template
from django.http import HttpRequest, QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext

register = template.Library()

CHECKED = mark_safe(" checked")  # (a constant)
PLACE_KEYS = ("page", "cursor")


@dataclass(frozen=True)
class Option:
    """One value that a filter can have."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Filter:
    """One filter of a list as the bar shows it; `kind` is many, one, switch or input."""

    name: str
    label: str
    kind: str
    options: list[Option]
    bound: Any
    is_set: bool


@dataclass(frozen=True)
class Chip:
    """One filter that is set, and the address without it."""

    label: str
    value: str
    remove_url: str


def _address(params: QueryDict) -> str:
    return f"?{params.urlencode()}"


def _without(request: HttpRequest, name: str, value: str | None = None) -> str:
    params = request.GET.copy()
    left = [other for other in params.getlist(name) if value is not None and other != value]
    params.setlist(name, left)
    for key in (*PLACE_KEYS, *([] if left else [name])):
        params.pop(key, None)
    return _address(params)


def _kind(field: forms.Field) -> str:
    if isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField):
        return "many"
    if isinstance(field, forms.NullBooleanField):
        return "input"
    if isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
        return "one"
    return "switch" if isinstance(field, forms.BooleanField) else "input"


def _has_three_states(item: Filter) -> bool:
    return isinstance(item.bound.field, forms.NullBooleanField)


def _options(field: forms.Field, chosen: list[str]) -> Iterator[Option]:
    for value, label in getattr(field, "choices", []):
        if isinstance(label, list | tuple):
            for inner_value, inner_label in label:
                yield Option(str(inner_value), str(inner_label), str(inner_value) in chosen)
        else:
            yield Option(str(value), str(label), str(value) in chosen or (not chosen and str(value) == ""))


def _filters(form: forms.Form, request: HttpRequest, search: str) -> Iterator[Filter]:
    for bound in form.visible_fields():
        if bound.name in {search, "sort", "ordering", "o"}:
            continue
        kind = _kind(bound.field)
        chosen = [value for value in request.GET.getlist(bound.html_name) if value]
        options = list(_options(bound.field, chosen)) if kind in {"many", "one"} else []
        yield Filter(bound.html_name, str(bound.label or bound.name), kind, options, bound, bool(chosen))


def _readable(value: str) -> str:
    """An instant as people write it, in their zone; anything else as it is."""
    try:
        moment = parse_datetime(value)
    except ValueError:
        moment = None
    if moment is None:
        return value
    return date_format(localtime(moment) if is_aware(moment) else moment, "j M Y H:i")


def _chips(filters: list[Filter], request: HttpRequest) -> Iterator[Chip]:
    for item in filters:
        for value in filter(None, request.GET.getlist(item.name)):
            label = next((option.label for option in item.options if option.value == value), _readable(value))
            yield Chip(item.label, "" if item.kind == "switch" else label, _without(request, item.name, value))


@register.simple_tag
def filter_options(item: Filter) -> SafeString:
    """The boxes of a menu, written in one go: a site's hundreds of people and services stand in several menus."""
    kind = "checkbox" if item.kind == "many" else "radio"
    box = '<label class="filter-option"><input type="{}" name="{}" value="{}"{}> {}</label>'
    any_ = gettext("Any")
    rows = (
        (kind, item.name, each.value, CHECKED if each.chosen else "", each.label if each.value else any_)
        for each in item.options
    )
    return format_html_join("\n", box, rows)


@register.inclusion_tag("components/filter_bar.html", takes_context=True)
def filter_bar(
    context: Mapping[str, Any],
    form: forms.Form,
    *,
    search: str = "q",
    placeholder: str = "",
    count: int | None = None,
    capped: bool = False,
    shown: str = "",
    more: bool = False,
) -> dict[str, Any]:
    """The filters of a list from its form (that of a FilterSet, or any bound to GET): search, menus, chips, count.

    `search` names the form's field for free text; `shown` limits the menus to these names, parted by spaces, and `more`
    puts the others into one last menu. A filter without a menu that an address brought along still has its chip.
    `capped` says that there are more than `count`.
    """
    request: HttpRequest = context["request"]
    every = list(_filters(form, request, search))
    filters = [item for item in every if item.name in shown.split()] if shown else every
    # (a switch of three states has tabs of its own)
    others = [item for item in every if more and item not in filters and not _has_three_states(item)]
    names = {item.name for item in (*filters, *others)} | {search}
    kept = [
        (key, value) for key, values in request.GET.lists() for value in values if key not in names | set(PLACE_KEYS)
    ]
    return {
        "has_search": search in form.fields,
        "search": search,
        "search_value": request.GET.get(search, ""),
        "placeholder": placeholder,
        "filters": filters,
        "others": others,
        "any_other_set": any(item.is_set for item in others),
        "chips": list(_chips(every, request)),
        "clear_url": request.path,
        "kept": kept,
        "count": count,
        "capped": capped,
    }


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(
    context: Mapping[str, Any], label: str, key: str, *, param: str = "sort", default: str = "", classes: str = ""
) -> dict[str, Any]:
    """A `<th>` that sorts by `key`: first down (newest, worst, most), then up. `default` is the list's own order."""
    request: HttpRequest = context["request"]
    now = request.GET.get(param, default)
    params = request.GET.copy()
    params[param] = key if now == f"-{key}" else f"-{key}"
    for place in PLACE_KEYS:
        params.pop(place, None)
    direction = "descending" if now == f"-{key}" else "ascending" if now == key else ""
    return {"label": label, "url": _address(params), "direction": direction, "classes": classes}


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Mapping[str, Any], page: Any) -> dict[str, Any]:
    """Previous and next for a Django page, or for anything with `previous` and `next` addresses (cursor pages)."""
    request: HttpRequest = context["request"]

    def numbered(number: int) -> str:
        params = request.GET.copy()
        params["page"] = str(number)
        return _address(params)

    if not hasattr(page, "paginator"):
        return {"previous": page.previous, "next": page.next}
    return {
        "previous": numbered(page.previous_page_number()) if page.has_previous() else "",
        "next": numbered(page.next_page_number()) if page.has_next() else "",
        "first_shown": page.start_index(),
        "last_shown": page.end_index(),
        "total": page.paginator.count,
        "capped": getattr(page.paginator, "is_capped", False),
    }
