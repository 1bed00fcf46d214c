"""`manage.py operator add NAME`, `operator keep NAME --messages 90`, `operator drivers NAME --closed`"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from accounts import services
from accounts.models import Operator
from csms.management.shell import Shell


class Command(Shell):
    help = "Operators: the companies that run charging stations."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="action")
        add = actions.add_parser("add", help="adds an operator")
        add.set_defaults(run=self.add)
        add.add_argument("name", metavar="NAME")
        keep = actions.add_parser("keep", help="says for how many days rows are kept; 0: as long as the system keeps them")
        keep.set_defaults(run=self.keep)
        keep.add_argument("name", metavar="NAME")
        for kind in services.TERMS:
            keep.add_argument(f"--{kind}", type=int, metavar="DAYS")

        drivers = actions.add_parser("drivers", help="says whether drivers may sign up by themselves, and the code for their apps")
        drivers.set_defaults(run=self.drivers)
        drivers.add_argument("name", metavar="NAME")
        doors = drivers.add_mutually_exclusive_group()
        doors.add_argument("--open", action="store_true", default=None)
        doors.add_argument("--closed", dest="open", action="store_false", default=None)

    def add(self, options: dict[str, Any]) -> None:
        operator = services.add_operator(name=options["name"])
        self.stdout.write(f"Operator {operator.name} added.")

    def drivers(self, options: dict[str, Any]) -> None:
        operator = self.named(options)
        if options["open"] is not None:
            services.open_to_drivers(operator=operator, to=options["open"])
        may = "sign up by themselves" if operator.open_to_drivers else "do not sign up by themselves"
        self.stdout.write(f"Drivers {may}. In their apps, the code of the network is {operator.code}.")

    def named(self, options: dict[str, Any]) -> Operator:
        operator = Operator.objects.filter(name=options["name"]).first()
        if operator is None:
            raise CommandError(f'There is no operator "{options["name"]}".')
        return operator

    def keep(self, options: dict[str, Any]) -> None:
        operator = self.named(options)
        given = {kind: options[kind] or None for kind in services.TERMS if options[kind] is not None}
        if not given:
            raise ValidationError(f"Say what is kept how long, in days: {', '.join(f'--{kind}' for kind in services.TERMS)}.")
        services.set_terms(operator=operator, **given)
        for kind in services.TERMS:
            days = getattr(operator, f"keep_{kind}_days")
            self.stdout.write(f"{kind}: {f'{days} days' if days else 'as long as the system keeps them'}")
