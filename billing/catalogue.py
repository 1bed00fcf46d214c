"""An operator's tariffs with all that belongs to them, for pages: versions, and where and for whom each applies."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from billing import choosing, series
from billing.models import Tariff, TariffAssignment, TariffVersion
from billing.prices import price_of

#: Tariffs are looked through, not scrolled through.
MOST = 200
COMING, VALID, PAST = "coming", "valid", "past"


@dataclass(frozen=True, slots=True)
class Version:
    """A version with the moment at which the next one takes over, and whether it is valid, coming or past."""

    version: TariffVersion
    until: datetime | None
    state: str

    @property
    def sentence(self) -> str:
        return price_of(series.parse(choosing.as_ocpi(self.version))).sentence


@dataclass(frozen=True, slots=True)
class Entry:
    """A tariff. `versions`: the newest first."""

    tariff: Tariff
    versions: list[Version]
    assignments: list[TariffAssignment]

    @property
    def now(self) -> Version | None:
        """What is valid now."""
        return next((one for one in self.versions if one.state == VALID), None)

    @property
    def coming(self) -> Version | None:
        """What is valid next."""
        return next((one for one in reversed(self.versions) if one.state == COMING), None)

    @property
    def applies(self) -> bool:
        return self.tariff.is_default or bool(self.assignments)


def tariffs(q: str = "", after: Tariff | None = None, most: int = MOST, *, retired: bool = False) -> list[Entry]:
    """Those of the network that may be chosen, or those that are retired, by name; four queries, however many."""
    found = Tariff.objects.filter(retired_at__isnull=not retired).order_by("name", "pk").select_related("operator")
    if q:
        found = found.filter(name__icontains=q)
    if after is not None:
        found = found.filter(name__gte=after.name).exclude(name=after.name, pk__lte=after.pk)
    return [_entry(one) for one in _with_all(found)[:most]]


def retired() -> int:
    """How many are not to be chosen any more."""
    return Tariff.objects.filter(retired_at__isnull=False).count()


def tariff(pk: int) -> Entry | None:
    """One of them."""
    found = _with_all(Tariff.objects.filter(pk=pk).select_related("operator")).first()
    return None if found is None else _entry(found)


def _with_all(rows: QuerySet[Tariff]) -> QuerySet[Tariff]:
    versions = TariffVersion.objects.order_by("valid_from").select_related("tariff", "created_by")
    assigned = TariffAssignment.objects.order_by("pk").select_related("site", "station", "evse__station", "group")
    return rows.prefetch_related(Prefetch("versions", versions), Prefetch("assignments", assigned))


def _entry(tariff: Tariff) -> Entry:
    versions = list(_versions(list(tariff.versions.all())))
    return Entry(tariff, versions[::-1], list(tariff.assignments.all()))


def _versions(rows: list[TariffVersion]) -> Iterator[Version]:
    now = timezone.now()
    valid = choosing.version_at(rows, now)
    for version, after in zip(rows, [*rows[1:], None], strict=True):
        state = VALID if version is valid else COMING if version.valid_from > now else PAST
        yield Version(version, after.valid_from if after else None, state)


def there(*, of: TariffAssignment) -> TariffAssignment | None:
    """What applies at just the same place for just the same people already, if it is another tariff."""
    same = {f"{name}_id": getattr(of, f"{name}_id") for name in ("site", "station", "evse", "group")} | {"audience": of.audience}
    found = TariffAssignment.objects.filter(operator=of.operator_id, **same).exclude(tariff=of.tariff_id).select_related("tariff")
    return found.first()


def versions_to_try(entries: Iterable[Entry], each: int = 3) -> Iterator[tuple[Tariff, TariffVersion, str]]:
    """What a session can be priced by: of each tariff the newest versions, as far as one wants to compare them."""
    for entry in entries:
        for one in entry.versions[:each]:
            yield entry.tariff, one.version, one.state
