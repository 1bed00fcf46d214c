"""`manage.py station add|list|remove|strict|register|lower|behind|key`; `--help` says more."""

from argparse import FileType
from typing import Any
from urllib.parse import quote

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django_scopes import scope, scopes_disabled

from accounts.selectors import operator_named
from csms.management.shell import Shell
from stations import selectors
from stations.domain.values import Registration
from stations.models import Station
from stations.services import localcontrollers, registry, securityprofiles


class Command(Shell):
    help = "Charging stations."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="action")
        add = actions.add_parser("add", help="adds a station; a password is made and printed once if none is given")
        add.set_defaults(run=self.add)
        add.add_argument("identity", metavar="ID")
        add.add_argument("--operator", metavar="NAME", help="may be left out where there is only one")
        add.add_argument("--site", metavar="NAME", help="where it stands; made if there is none of that name")
        add.add_argument("--password", help="16 to 40 characters")
        add.add_argument(
            "--security-profile", type=int, default=1, metavar="N", help="0 none, 1 password (default), 2 password and TLS"
        )
        add.add_argument("--strict", action="store_true", help="refuse what breaks OCPP's schema instead of mending it")
        show = actions.add_parser("list", help="lists the stations")
        show.set_defaults(run=self.show)
        show.add_argument("--operator", metavar="NAME", help="only this operator's")
        remove = actions.add_parser("remove", help="removes a station that never charged")
        remove.set_defaults(run=self.remove)
        remove.add_argument("identity", metavar="ID")
        strict = actions.add_parser("strict", help="whether what breaks OCPP's schema is refused (yes) or mended (no)")
        strict.set_defaults(run=self.strict)
        strict.add_argument("identity", metavar="ID")
        strict.add_argument("strict", choices=["yes", "no"])
        register = actions.add_parser("register", help="what the station's next boot is answered")
        register.set_defaults(run=self.register)
        register.add_argument("identity", metavar="ID")
        register.add_argument("registration", choices=[value.value for value in Registration])

        lower = actions.add_parser("lower", help="lets it come once more by a lower security profile than it has come by")
        lower.set_defaults(run=self.lower)
        lower.add_argument("identity", metavar="ID")
        lower.add_argument("--reason", required=True, metavar="TEXT", help="why; the audit keeps it")
        behind = actions.add_parser("behind", help="which local controller relays the station; without one, none does")
        behind.set_defaults(run=self.behind)
        behind.add_argument("identity", metavar="ID")
        behind.add_argument("controller", metavar="CONTROLLER", nargs="?")
        key = actions.add_parser("key", help="the public key or certificate (PEM) with which it signs; without a file, none")
        key.set_defaults(run=self.key)
        key.add_argument("identity", metavar="ID")
        key.add_argument("file", metavar="FILE.pem", nargs="?", type=FileType())

    def add(self, options: dict[str, Any]) -> None:
        operator = operator_named(options["operator"])
        with transaction.atomic():
            station, password = registry.add_station(
                operator=operator,
                identity=options["identity"],
                site=registry.site_named(operator=operator, name=options["site"]) if options["site"] else None,
                password=options["password"],
                security_profile=options["security_profile"],
                strict=options["strict"],
            )
        self.stdout.write(f"Station {station.identity} added to {operator.name}, security profile {station.security_profile}.")
        self.stdout.write(f"OCPP URL path: /ocpp/{quote(station.identity, safe='')}")
        if password is not None:
            self.stdout.write(f"HTTP Basic user: {station.identity}")
        if password is not None and options["password"] is None:
            self.stdout.write("Password, shown only this once:")
            self.stdout.write(password)

    def show(self, options: dict[str, Any]) -> None:
        with scopes_disabled():
            stations = Station.objects.select_related("operator", "site", "connection").order_by("identity")
            if options["operator"]:
                stations = stations.filter(operator=operator_named(options["operator"]))
            online = selectors.online_stations()
            rows = [("IDENTITY", "OPERATOR", "SITE", "REGISTRATION", "ONLINE", "SEEN")]
            rows += [
                (
                    station.identity,
                    station.operator.name,
                    station.site.name if station.site else "-",
                    station.registration,
                    "yes" if station.pk in online else "no",
                    f"{station.connection.seen_at:%Y-%m-%d %H:%M:%SZ}" if station.connection.seen_at else "never",
                )
                for station in stations
            ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def remove(self, options: dict[str, Any]) -> None:
        station = self._station(options["identity"])
        registry.remove_station(station=station)
        self.stdout.write(f"Station {station.identity} removed.")

    def register(self, options: dict[str, Any]) -> None:
        station = self._station(options["identity"])
        registry.set_registration(station=station, registration=options["registration"])
        self.stdout.write(f"Station {station.identity}: the next boot is answered {station.registration}.")

    def strict(self, options: dict[str, Any]) -> None:
        station = self._station(options["identity"])
        registry.set_strict(station=station, strict=options["strict"] == "yes")
        done = "refused" if station.strict else "mended where it can be understood"
        self.stdout.write(f"Station {station.identity}: what breaks the schema is {done}.")

    def lower(self, options: dict[str, Any]) -> None:
        station = self._station(options["identity"])
        with scope(operator=station.operator):
            securityprofiles.allow_lower(station=station, reason=options["reason"])
        self.stdout.write(f"Station {station.identity}: it may come by profile {station.security_profile} once more.")

    def behind(self, options: dict[str, Any]) -> None:
        station = self._station(options["identity"])
        controller = self._station(options["controller"]) if options["controller"] else None
        with scope(operator=station.operator):
            localcontrollers.set_controller(station=station, controller=controller)
        self.stdout.write(f"Station {station.identity}: " + (f"behind {controller.identity}." if controller else "behind none."))

    def key(self, options: dict[str, Any]) -> None:
        station = self._station(options["identity"])
        with scope(operator=station.operator):
            localcontrollers.set_signing_key(station=station, pem=options["file"].read() if options["file"] else "")
        self.stdout.write(
            f"Station {station.identity}: the key with which it signs is {'known' if station.signing_key else 'not known'}."
        )

    def _station(self, identity: str) -> Station:
        with scopes_disabled():
            station = Station.objects.select_related("operator").filter(identity=identity).first()
        if station is None:
            raise CommandError(f"There is no station {identity}. See: manage.py station list")
        return station
