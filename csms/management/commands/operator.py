"""`manage.py operator add NAME`, `manage.py operator keep NAME --messages 90`"""

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

    def add(self, options: dict[str, Any]) -> None:
        operator = services.add_operator(name=options["name"])
        self.stdout.write(f"Operator {operator.name} added.")

    def keep(self, options: dict[str, Any]) -> None:
        operator = Operator.objects.filter(name=options["name"]).first()
        if operator is None:
            raise CommandError(f'There is no operator "{options["name"]}".')
        given = {kind: options[kind] or None for kind in services.TERMS if options[kind] is not None}
        if not given:
            raise ValidationError("Say what is kept how long: --messages, --samples or --status, in days.")
        services.set_terms(operator=operator, **given)
        for kind in services.TERMS:
            days = getattr(operator, f"keep_{kind}_days")
            self.stdout.write(f"{kind}: {f'{days} days' if days else 'as long as the system keeps them'}")
