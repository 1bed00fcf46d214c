"""`manage.py demo`: the demo network that `make run` shows. Running it again adds what is missing and changes nothing else."""

import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django_scopes import scope

from accounts import drivers
from accounts import services as accounts
from accounts.models import IdToken, Operator, Role, User
from billing import tariffs as billing
from billing.models import Tariff
from csms.files import images
from csms.management import demorollout
from csms.management.shell import from_the_shell
from csms.simulator import demo
from stations.models import Firmware, Rollout, Site, Station
from stations.services import firmware, registry

#: Known to everybody by intention: `make run` listens on this machine only, and production refuses the demo.
PASSWORD = "charge-it-all-night"  # noqa: S105
PEOPLE = (("ada@amber.example", "Ada", Role.OWNER), ("ben@amber.example", "Ben", Role.VIEWER))
#: Who drives, with which card, and a plug at which she may start from her phone.
DRIVER, HER_CARD, HER_PLUG = ("dee@amber.example", "Dee"), "04A1B2C3D4", "MARKET-03/1"
EXPIRED_AT = datetime(2025, 12, 31, 23, tzinfo=UTC)


class Command(BaseCommand):
    help = "Loads the demo network: an operator, sites in three cities, two dozen stations, a tariff, id tags, people, a driver."

    @from_the_shell()
    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION and not settings.ALLOW_INSECURE:
            raise CommandError("The demo has passwords that everybody knows: it is not for production.")
        operator = Operator.objects.filter(name=demo.OPERATOR).first() or accounts.add_operator(name=demo.OPERATOR)
        for email, name, role in PEOPLE:
            if not User.objects.filter(email=email).exists():
                accounts.add_user(email=email, name=name, operator=operator, role=role, password=PASSWORD)
        with scope(operator=operator):
            sites = {site.name: _site(operator, site) for site in demo.SITES}
            for station in demo.STATIONS:
                _station(operator, station, sites[station.site])
            for tag in demo.TAGS:
                if not IdToken.objects.filter(value=tag.value).exists():
                    accounts.add_id_token(
                        operator=operator,
                        value=tag.value,
                        status=tag.status,
                        group=tag.group,
                        expires_at=EXPIRED_AT if tag.expired else None,
                        note=tag.label,
                    )
            _driver(operator)
            if not Tariff.objects.exists():
                billing.add_tariff(
                    operator=operator,
                    name="Standard",
                    price_per_kwh=Decimal("0.39"),
                    price_per_minute=Decimal("0.02"),
                    price_per_session=Decimal("0.50"),
                    tax_percent=Decimal(19),
                    is_default=True,
                )
            if not Firmware.objects.exists():
                _image(operator)
            if not Rollout.objects.exists():
                demorollout.make(operator)
        for email, name, role in PEOPLE:
            self.stdout.write(f"{name} ({role.label.lower()}): {email} / {PASSWORD}")
        here = f"http://127.0.0.1:{os.environ['PORT']}" if os.environ.get("PORT") else ""
        self.stdout.write(f"{DRIVER[1]} (driver): {DRIVER[0]} / {PASSWORD}, with a phone at {here}/charge/{HER_PLUG}")


def _driver(operator: Operator) -> None:
    """Dee, whose card charges by itself, so that she has a history."""
    email, name = DRIVER
    if User.objects.filter(email=email).exists():
        return
    drivers.add_id_tag(driver=drivers.sign_up(operator=operator, email=email, name=name, password=PASSWORD), value=HER_CARD)


def _image(operator: Operator) -> None:
    """A firmware image that fits some of the chargers: of no use to any, but something to look at and to send."""
    vendor, model, version = demo.FIRMWARE
    with images.stored([f"{vendor} {model} {version}\n".encode() * 10_000], operator_id=operator.pk) as stored:
        firmware.add_firmware(
            operator=operator,
            vendor=vendor,
            model=model,
            version=version,
            name=f"{model}-{version}.bin",
            notes="The demo's: it holds nothing but its own name.",
            **stored,
        )


def _site(operator: Operator, wanted: demo.DemoSite) -> Site:
    """The site, with its address where it has none yet (an earlier demo knew only names)."""
    site = registry.site_named(operator=operator, name=wanted.name)
    if not site.city:
        site.address, site.city, site.time_zone = wanted.address, wanted.city, wanted.time_zone
        site.latitude, site.longitude = Decimal(wanted.latitude), Decimal(wanted.longitude)
        site.full_clean()
        site.save()
    return site


def _station(operator: Operator, wanted: demo.DemoStation, site: Site) -> None:
    station = Station.objects.filter(identity=wanted.identity).first()
    if station is None:
        station, _ = registry.add_station(operator=operator, identity=wanted.identity, site=site, password=demo.password())
    if not station.name:
        station.name = wanted.name
        station.save(update_fields=["name"])
