"""The way to the pages: those one opens all day stand alone, the others in menus, and only those that one may see."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.permissions import may

register = template.Library()

Word = str | Promise


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is that of its address. What lies below that belongs to it, and so do the pages named in `also`."""

    name: str
    title: Word
    verb: str = "view"
    also: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Menu:
    title: Word
    pages: tuple[Page, ...]


PAGES: tuple[Page | Menu, ...] = (
    Page("wall", _("Network")),
    Page("stations", _("Chargers"), also=frozenset({"onboarding", "runs", "run", "labels"})),
    Page("sessions", _("Sessions"), also=frozenset({"review", "review_session", "review_message"})),
    Menu(
        _("Drivers"),
        (
            Page("drivers", _("Drivers"), "tags.change"),
            Page("id_tags", _("Id tags")),
            Page("reservations", _("Reservations")),
            Page("tariffs", _("Tariffs")),
            Page("billing", _("Billing")),
            Page("receipts", _("Receipts"), "receipts.view"),
        ),
    ),
    Menu(
        _("Upkeep"),
        (
            Page("messages", _("Messages")),
            Page("logs", _("Logs")),
            Page("firmware", _("Firmware")),
            Page("rollouts", _("Roll-outs")),
            Page("local_lists", _("Local lists")),
            Page("quality", _("Charger quality")),
            Page("quirks", _("Quirks")),
            Page("security", _("Security")),
        ),
    ),
    Menu(
        _("Management"),
        (
            Page("people", _("People"), "people.change"),
            Page("audit", _("Changes"), "audit.view"),
            Page("webhooks", _("Webhooks")),
            Page("forwards", _("Forwarding")),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Link:
    """`current`: for aria-current; "page" on the page itself, "true" below it."""

    title: Word
    url: str
    current: str


@dataclass(frozen=True, slots=True)
class Group:
    title: Word
    links: list[Link]
    current: bool


@register.inclusion_tag("_nav.html", takes_context=True)
def navigation(context: dict[str, Any]) -> dict[str, Any]:
    request: HttpRequest = context["request"]
    here = request.resolver_match.url_name if request.resolver_match else None

    def link(page: Page) -> Link:
        url = reverse(page.name)
        below = page.name != "wall" and request.path.startswith(url)
        return Link(page.title, url, "page" if here == page.name else "true" if below or here in page.also else "")

    shown: list[Link | Group] = []
    for one in PAGES:
        pages = one.pages if isinstance(one, Menu) else (one,)
        links = [link(page) for page in pages if may(request.user, page.verb)]
        # A menu of one is no choice.
        shown += [Group(one.title, links, any(at.current for at in links))] if isinstance(one, Menu) and len(links) > 1 else links
    return {"shown": shown, "account": "page" if here == "account" else ""}
