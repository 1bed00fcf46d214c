"""Forwards: the rules for adding, changing, pausing, testing and removing them."""

import asyncio
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import Operator
from csms.forwarding.dialling import Trouble, dialled
from csms.forwarding.frames import ENVELOPES
from csms.forwarding.models import IDENTITY, Forward, ForwardLink, LinkState, Style, Which
from csms.ocpp import forward as wordings
from csms.webhooks.services import is_forbidden
from stations.models import Site, Station

#: Of one operator; and stations that are chosen one by one.
MOST, MOST_CHOSEN = 10, 1000
LONGEST_URL, LONGEST_PASSWORD = 500, 200
#: What is set as it is given, when it has been looked at.
PLAIN = ("name", "url", "style", "identity", "password", "which", "site", "from_station", "to_station", "only", "never")
#: The audit is told these; the password is masked there.
TOLD = ("name", "style", "identity", "which", "site", "from_station", "to_station", "active")


def add(*, operator: Operator, **values: Any) -> Forward:
    """A second back end that is told from now on. `stations` are identities. Raises ValidationError."""
    made = Forward(operator=operator)
    with scope(operator=operator), transaction.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        if Forward.objects.count() >= MOST:
            raise ValidationError(
                _("You forward to %(most)s back ends already, and to no more: remove one first.") % {"most": MOST}
            )
        chosen = _fill(made, values)
        made.save()
        made.stations.set(chosen)
        audit.record("forward.added", made, operator=operator, after=_facts(made))
    return made


def change(*, forward: Forward, **values: Any) -> Forward:
    """Sets the fields given, of those that `add` takes; the others stay. Sockets are opened anew."""
    with scope(operator=forward.operator), transaction.atomic():
        locked = _locked(forward)
        before = _facts(locked)
        chosen = _fill(locked, values)
        locked.version += 1
        locked.save()
        locked.stations.set(chosen)
        after = _facts(locked)
        if "password" in values:
            before["password"], after["password"] = "a", "b"
        audit.record("forward.changed", locked, operator=locked.operator_id, before=before, after=after)
    return locked


def pause(*, forward: Forward) -> None:
    """Close its sockets. What stations say meanwhile waits."""
    _set_active(forward, active=False)


def resume(*, forward: Forward) -> None:
    """Open them again; what has waited comes first, as far as it is not too old."""
    _set_active(forward, active=True)


def _set_active(forward: Forward, *, active: bool) -> None:
    with scope(operator=forward.operator), transaction.atomic():
        locked = _locked(forward)
        if locked.active == active:
            return
        # From now on somebody is expected to serve it.
        Forward.objects.filter(pk=locked.pk).update(active=active, version=F("version") + 1, served_at=timezone.now())
        verb = "forward.resumed" if active else "forward.paused"
        audit.record(verb, locked, operator=locked.operator_id, before={"active": not active}, after={"active": active})


def remove(*, forward: Forward) -> None:
    """Forget it, and how far its stations were."""
    with scope(operator=forward.operator), transaction.atomic():
        locked = _locked(forward)
        audit.record("forward.removed", locked, operator=locked.operator_id, before=_facts(locked))
        locked.delete()


def try_out(*, forward: Forward) -> str:
    """Knock at the other back end as one of the stations, and have those that fail try again at once.

    Returns the identity with which it was accepted; "" if all are connected, which says it too. Raises ValidationError with what
    went wrong.
    """
    with scope(operator=forward.operator):
        with transaction.atomic():
            locked = _locked(forward)
            station = _for_test(locked)
            audit.record("forward.tested", locked, operator=locked.operator_id)
        if station is None:
            return ""
        name = locked.identity_of(station.identity)
        envelopes = locked.style == Style.ENVELOPE
        protocol = ENVELOPES if envelopes else _protocol_of(station)
        try:
            asyncio.run(_knock(locked, name, protocol, needed=not envelopes))
        except Trouble as trouble:
            raise ValidationError(f"{name}: {trouble}") from trouble
        finally:
            # After the knock: whoever is let in twice under one name is let go once.
            Forward.objects.filter(pk=locked.pk).update(tried_at=timezone.now())
    return name


async def _knock(forward: Forward, name: str, protocol: str, *, needed: bool) -> None:
    async with dialled(forward.url, identity=name, password=forward.password, subprotocol=protocol, needed=needed):
        pass


def _for_test(forward: Forward) -> Station | None:
    """A station whose own socket is not open: a second one under its name would push out the first. None: all are connected."""
    links = ForwardLink.objects.filter(forward=forward)
    open_ones, failing = (links.filter(state=state).values("station") for state in (LinkState.CONNECTED, LinkState.FAILING))
    closed = selected(forward).exclude(pk__in=open_ones).select_related("connection").order_by("identity")
    found = closed.filter(pk__in=failing).first() or closed.first()
    if found is None and not selected(forward).exists():
        raise ValidationError(_("No charger is forwarded to it yet: choose some, or add them to the site."))
    return found


def _protocol_of(station: Station) -> str:
    known = getattr(station, "connection", None)
    return known.protocol if known and known.protocol in wordings.WORDINGS else next(iter(wordings.WORDINGS))


def selected(forward: Forward) -> Any:
    """The stations that are mirrored to it, in the scope of their operator."""
    found = Station.objects.filter(operator=forward.operator_id)
    if forward.which == Which.SITE:
        return found.filter(site=forward.site_id) if forward.site_id else found.none()
    if forward.which == Which.CHOSEN:
        return found.filter(pk__in=forward.stations.values("pk"))
    return found


def _locked(forward: Forward) -> Forward:
    return Forward.objects.select_for_update(of=("self",)).select_related("operator", "site").get(pk=forward.pk)


def _facts(forward: Forward) -> dict[str, Any]:
    """For the audit, which is kept for years: without what may be secret in the address."""
    chosen = forward.stations.count() if forward.which == Which.CHOSEN else None
    actions = {"only": ", ".join(forward.only), "never": ", ".join(forward.never)}
    return {"url": forward.shown_url, **audit.fields_of(forward, *TOLD), **actions, "stations": chosen}


def _fill(forward: Forward, values: dict[str, Any]) -> list[Station]:
    """Set and check it all. Returns the chosen stations."""
    wrong: dict[str, str] = {}
    for name in PLAIN:
        if name in values:
            setattr(forward, name, values[name].strip() if isinstance(values[name], str) else values[name])
    chosen = list(forward.stations.all()) if forward.pk else []
    if "stations" in values:
        chosen = _chosen(values["stations"], wrong)
    if not forward.name:
        wrong["name"] = _("Give it a name, such as that of who runs it.")
    if forward.which == Which.SITE and not _is_ours(forward.site):
        wrong["site"] = _("Choose the site whose chargers are forwarded.")
    if forward.which == Which.CHOSEN and not chosen and "stations" not in wrong:
        wrong["stations"] = _("Name at least one charger.")
    if forward.which != Which.SITE:
        forward.site = None
    if forward.which != Which.CHOSEN:
        chosen = []
    if not forward.from_station and not forward.to_station:
        wrong["from_station"] = _("Choose at least one direction.")
    if len(forward.password) > LONGEST_PASSWORD:
        wrong["password"] = _("A password has %(most)s characters at most.") % {"most": LONGEST_PASSWORD}
    _check_actions(forward, wrong)
    if words := wrong_url(forward.url):
        wrong["url"] = words
    if words := _wrong_identity(forward, chosen):
        wrong["identity"] = words
    if wrong:
        raise ValidationError(wrong)
    forward.clean_fields(exclude=["operator", "site"])
    return chosen


def _is_ours(site: Site | None) -> bool:
    return site is not None and Site.objects.filter(pk=site.pk).exists()


def _chosen(identities: Iterable[str], wrong: dict[str, str]) -> list[Station]:
    names = list(dict.fromkeys(name.strip() for name in identities if name.strip()))
    if len(names) > MOST_CHOSEN:
        wrong["stations"] = _("At most %(most)s chargers can be chosen one by one: choose a site, or all.") % {"most": MOST_CHOSEN}
        return []
    found = {one.identity: one for one in Station.objects.filter(identity__in=names)}
    if unknown := [name for name in names if name not in found]:
        few = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        wrong["stations"] = _("There is no charger %(unknown)s in your network.") % {"unknown": few}
    return list(found.values())


def _check_actions(forward: Forward, wrong: dict[str, str]) -> None:
    known = wordings.actions()
    for name in ("only", "never"):
        asked = list(dict.fromkeys(getattr(forward, name)))
        if unknown := [action for action in asked if action not in known]:
            wrong[name] = _("OCPP has no message %(unknown)s. Names are written as in StatusNotification.") % {
                "unknown": ", ".join(str(action)[:50] for action in unknown[:5])
            }
        setattr(forward, name, sorted(asked, key=str))
    if forward.only and forward.never and "never" not in wrong:
        wrong["never"] = _("Name either the only messages that are forwarded, or those that are not.")


def _wrong_identity(forward: Forward, chosen: list[Station]) -> str:
    text = forward.identity
    rest = text.replace(IDENTITY, "")
    if not text or len(text) > 100 or not text.isprintable() or any(letter in rest for letter in ":{}"):
        return _("Write the name by which the other back end knows the charger. %(identity)s stands for its identity here.") % {
            "identity": IDENTITY
        }
    if IDENTITY not in text and (forward.which != Which.CHOSEN or len(chosen) > 1):
        return _("Several chargers cannot have one name: write %(identity)s where the identity of each belongs.") % {
            "identity": IDENTITY
        }
    return ""


def wrong_url(url: str) -> str:
    """What is wrong with the address, as far as can be said without asking for its name; "" if nothing is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return _("This is no address: it looks like wss://example.com/ocpp.")
    if len(url) > LONGEST_URL:
        return _("An address has %(most)s characters at most.") % {"most": LONGEST_URL}
    if parts.scheme not in ("ws", "wss") or not host or port == 0:
        return _("The address must begin with wss:// or ws:// and name a host.")
    if not url.isascii() or not url.isprintable() or any(letter in url for letter in ' \\"<>^`{|}'):
        return _("The address has characters that must be written with a percent sign, or a host that must be in punycode.")
    if parts.username is not None or parts.password is not None:
        return _("The address must not hold a password: there is a field for it.")
    if parts.fragment:
        return _("The address must not have a part behind #, which is never sent.")
    if not settings.WEBHOOK_PRIVATE and is_forbidden(host):
        return _("Addresses of this machine and of private networks are not called. CSMS_WEBHOOK_PRIVATE=1 allows it.")
    return ""
