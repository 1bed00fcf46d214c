"""What id tokens may do, those of a group and single ones: where they charge, and at plugs of which types; how early those of a
group get power, whether they start anything at all."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.imports import MOST_TOLD
from accounts.models import AuditEntry, IdToken, IdTokenGroup, Operator
from stations import locallists
from stations.domain.commands.reservation import CONNECTOR_TYPES
from stations.domain.places import Places
from stations.models import GroupTerms, IdTokenChange, LocalList, LocalListRule, Site, Station, TokenTerms
from stations.services import localauthlist

#: Of a group, of each kind.
MOST_PLACES = 200


#: That a plug can be of, and a token be held to.
PLUG_TYPES = tuple(kind for kind in CONNECTOR_TYPES if kind not in ("Undetermined", "Unknown"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What tokens shall be held to. `restricted`: to these places only; `types`: to plugs of these types; None: of any."""

    restricted: bool = False
    sites: Sequence[Site] = ()
    stations: Sequence[Station] = ()
    evses: Sequence[tuple[Station, int]] = ()
    types: Collection[str] | None = None

    def kept(self, operator_id: int) -> dict[str, Any]:
        """As rows keep it. Raises ValidationError."""
        places = None
        if self.restricted:
            places = _places(operator_id, self.sites, self.stations, self.evses)
        elif self.sites or self.stations or self.evses:
            raise ValidationError({"places": _("Places are named, but nothing is restricted to them: say which is meant.")})
        return {"places": places, "connector_types": _types(self.types)}


ANYTHING = Wanted()


@transaction.atomic
def set_terms(*, group: IdTokenGroup, priority: int | None = None, only_stops: bool = False, held: Wanted = ANYTHING) -> GroupTerms:
    """All terms of a group. Raises ValidationError.

    They count from the next message of a station on; local lists that they concern are made anew.
    """
    if priority is not None and not -9 <= priority <= 9:
        raise ValidationError({"priority": _("Use a whole number from -9 (last) to 9 (first), or none.")})
    kept = held.kept(group.operator_id)
    # One change of an operator's groups and rules at a time.
    operator = Operator.objects.select_for_update(no_key=True).get(pk=group.operator_id)
    known = GroupTerms.objects.filter(group=group).first()
    terms = known or GroupTerms(group=group, operator=operator)
    before = {"priority": terms.priority, "only_stops": terms.only_stops} | _told(terms)
    offline = _offline(terms)
    terms.priority, terms.only_stops = priority, only_stops
    terms.places, terms.connector_types = kept["places"], kept["connector_types"]
    after = {"priority": terms.priority, "only_stops": terms.only_stops} | _told(terms)
    if known is not None and before == after:
        return terms
    terms.save()
    audit.record("id_token_group.changed", group, operator=operator, before=before, after=after)
    if offline != _offline(terms):
        # By their rules' new revision every list is made anew.
        LocalListRule.objects.filter(operator=operator).update(revision=F("revision") + 1)
        localauthlist.assign(operator_id=operator.pk, now=timezone.now())
    return terms


def hold(*, token: IdToken, held: Wanted) -> None:
    """What a single token is held to, beside its group: both count. Raises ValidationError.

    One that is held to anything stands on no local list, since that cannot say where: stations ask about it.
    """
    hold_all(operator_id=token.operator_id, wanted=[(token, held.kept(token.operator_id))])


@transaction.atomic
def hold_all(*, operator_id: int, wanted: Iterable[tuple[IdToken, dict[str, Any]]]) -> None:
    """The same for many, each with what `Wanted.kept` made, or a part of that: the rest stays as it is."""
    by_token = {token.pk: (token, kept) for token, kept in wanted}
    known = {one.token_id: one for one in TokenTerms.objects.select_for_update().filter(token__in=by_token).order_by("token")}
    rows: list[TokenTerms] = []
    entries: list[AuditEntry | None] = []
    gone: list[int] = []
    changes: list[IdTokenChange] = []
    words = _Words()
    for pk, (token, kept) in sorted(by_token.items()):
        old = known.get(pk)
        terms = TokenTerms(operator_id=operator_id, token=token, **_kept_so_far(old) | kept)
        if (old.places, old.connector_types) == (terms.places, terms.connector_types) if old else terms.held is None:
            continue
        if len(entries) < MOST_TOLD:
            before, after = words.of(old or TokenTerms()), words.of(terms)
            entries.append(audit.entry("id_token.changed", token, operator=operator_id, before=before, after=after))
        if (old is None) != (terms.held is None):
            changes.append(_change(token, gone=terms.held is not None))
        if terms.held is None:
            gone.append(pk)
        else:
            rows.append(terms)
    TokenTerms.objects.filter(token__in=gone).delete()
    TokenTerms.objects.bulk_create(
        rows, batch_size=2000, update_conflicts=True, unique_fields=["token"], update_fields=["places", "connector_types"]
    )
    IdTokenChange.objects.bulk_create(changes, batch_size=2000)
    audit.record_all(entries)


def _kept_so_far(terms: TokenTerms | None) -> dict[str, Any]:
    return {"places": terms.places, "connector_types": terms.connector_types} if terms else {}


class _Words:
    """What the audit tells of terms; those of a file are often the same."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}

    def of(self, terms: TokenTerms) -> dict[str, Any]:
        key = repr((terms.places, terms.connector_types))
        if key not in self.known:
            self.known[key] = _told(terms)
        return self.known[key]


def _change(token: IdToken, *, gone: bool) -> IdTokenChange:
    """For the local lists: it belongs on none any more, or may again."""
    named = {"token_id": token.pk, "value": token.value, "type": token.type, "group_id": token.group_id}
    return IdTokenChange(operator_id=token.operator_id, was=gone, gone=gone, at=timezone.now(), **named)


def _types(types: Collection[str] | None) -> list[str] | None:
    if types is None:
        return None
    if unknown := sorted(set(types) - set(PLUG_TYPES)):
        text = _("There is no type of plug %(unknown)s: use %(known)s.")
        raise ValidationError({"connector_types": text % {"unknown": ", ".join(unknown)[:100], "known": ", ".join(PLUG_TYPES)}})
    if not types:
        raise ValidationError({"connector_types": _("Name a type of plug, or let it charge at every type.")})
    return [kind for kind in PLUG_TYPES if kind in types]


def _places(
    operator_id: int, sites: Sequence[Site], stations: Sequence[Station], evses: Sequence[tuple[Station, int]]
) -> dict[str, Any]:
    if max(len(sites), len(stations), len(evses)) > MOST_PLACES:
        raise ValidationError({"places": _("Name at most %(most)s of each: use whole sites.") % {"most": MOST_PLACES}})
    if not (sites or stations or evses):
        raise ValidationError({"places": _("Choose where it may charge, or let it charge everywhere.")})
    owners = {site.operator_id for site in sites} | {
        one.operator_id for one in (*stations, *(station for station, _number in evses))
    }
    if owners != {operator_id}:
        raise ValidationError({"places": _("One of the places belongs to another network.")})
    return {
        "sites": sorted({site.pk for site in sites}),
        "stations": sorted({station.pk for station in stations}),
        "evses": [list(one) for one in sorted({(station.pk, number) for station, number in evses})],
    }


def as_they_are(terms: GroupTerms | TokenTerms | None) -> Wanted:
    """What a group or a token is held to, as `set_terms` and `hold` take it."""
    types = terms.connector_types if terms else None
    if terms is None or terms.places is None:
        return Wanted(types=types)
    places = Places.read(terms.places)
    stations = Station.objects.in_bulk({*places.stations, *(at for at, _number in places.evses)})
    return Wanted(
        True,
        list(Site.objects.filter(pk__in=places.sites)),
        [stations[pk] for pk in places.stations if pk in stations],
        [(stations[pk], number) for pk, number in places.evses if pk in stations],
        types,
    )


def _told(terms: GroupTerms | TokenTerms) -> dict[str, Any]:
    types = ", ".join(terms.connector_types) if terms.connector_types is not None else ""
    return {"places": locallists.places_in_words(terms), "connector_types": types}


def _offline(terms: GroupTerms) -> tuple[Any, ...]:
    """What of it decides which lists its tokens are on."""
    return terms.only_stops, terms.places, terms.connector_types


def moved(station: Station) -> None:
    """A station stands at another site: its local list may hold other tokens."""
    if GroupTerms.objects.filter(operator=station.operator_id, places__isnull=False).exists():
        _anew(station)


def fitted(station: Station) -> None:
    """Its plugs are of other types than was known: the same."""
    if GroupTerms.objects.filter(operator=station.operator_id, connector_types__isnull=False).exists():
        _anew(station)


def _anew(station: Station) -> None:
    LocalList.objects.filter(station=station).exclude(rule=None).update(full=True, due_at=timezone.now())
