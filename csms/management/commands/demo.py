"""`manage.py demo`: the demo network that `make run` shows. Running it again changes nothing."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django_scopes import scope

from accounts import services as accounts
from accounts.models import IdToken, Operator, Role, User
from billing import services as billing
from billing.models import Tariff
from csms.simulator import demo
from stations.models import Station
from stations.services import registry

#: Known to everybody by intention: `make run` listens on this machine only, and production refuses the demo.
PASSWORD = "charge-it-all-night"  # noqa: S105
PEOPLE = (("ada@amber.example", "Ada", Role.OWNER), ("ben@amber.example", "Ben", Role.VIEWER))
SITE = "Harbour"


class Command(BaseCommand):
    help = "Loads the demo network: an operator, three stations, a tariff, id tags and two people."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION and not settings.ALLOW_INSECURE:
            raise CommandError("The demo has passwords that everybody knows: it is not for production.")
        operator = Operator.objects.filter(name=demo.OPERATOR).first() or accounts.add_operator(name=demo.OPERATOR)
        for email, name, role in PEOPLE:
            if not User.objects.filter(email=email).exists():
                accounts.add_user(email=email, name=name, operator=operator, role=role, password=PASSWORD)
        with scope(operator=operator):
            site = registry.site_named(operator=operator, name=SITE)
            for station in demo.STATIONS:
                if not Station.objects.filter(identity=station.identity).exists():
                    registry.add_station(operator=operator, identity=station.identity, site=site, password=demo.password())
            for tag in demo.TAGS:
                if not IdToken.objects.filter(value=tag.value).exists():
                    accounts.add_id_token(operator=operator, value=tag.value, status=tag.status, group=tag.group, note=tag.label)
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
        for email, name, role in PEOPLE:
            self.stdout.write(f"{name} ({role.label.lower()}): {email} / {PASSWORD}")
