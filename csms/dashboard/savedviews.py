"""Views of a list that a person has saved: its filters, order and columns under a name."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import SavedView, User
from accounts.services import delete_view, save_view
from csms.dashboard.access import action

#: The lists that can be saved, by the names of their addresses.
PAGES = ("stations", "sessions", "id_tags")


@dataclass(frozen=True, slots=True)
class Views:
    """`query`: what is shown now; `shown`: the view that it is, if it is one."""

    page: str
    query: str
    views: list[SavedView]

    @property
    def shown(self) -> SavedView | None:
        return next((view for view in self.views if view.query == self.query), None)


def of(request: HttpRequest, page: str, query: str) -> Views:
    return Views(page, query, list(SavedView.objects.filter(user=request.user.pk, page=page)))


@action("view")
def save(request: HttpRequest) -> HttpResponse:
    """Keep what a list shows under a name, for oneself."""
    page, query = request.POST.get("page", ""), QueryDict(request.POST.get("query", "").replace("\x00", "")).urlencode()
    if page not in PAGES or not isinstance(request.user, User):
        raise BadRequest("page")
    try:
        view = save_view(user=request.user, page=page, name=request.POST.get("name", ""), query=query)
    except ValidationError as error:
        messages.error(request, _("The view was not saved: %(why)s") % {"why": " ".join(error.messages)})
    else:
        messages.success(request, _("The view %(name)s is saved.") % {"name": view.name})
    return redirect(f"{reverse(page)}?{query}" if query else page)


@action("view")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a view of one's own. The list stays as it is shown."""
    view = get_object_or_404(SavedView, pk=pk, user=request.user.pk)
    delete_view(view=view)
    messages.success(request, _("The view %(name)s is deleted.") % {"name": view.name})
    return redirect(f"{reverse(view.page)}?{view.query}" if view.query else view.page)
