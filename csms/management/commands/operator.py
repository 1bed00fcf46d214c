"""`manage.py operator add NAME`"""

from typing import Any

from django.core.management.base import CommandParser

from accounts import services
from csms.management.shell import Shell


class Command(Shell):
    help = "Operators: the companies that run charging stations."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="action")
        add = actions.add_parser("add", help="adds an operator")
        add.set_defaults(run=self.add)
        add.add_argument("name", metavar="NAME")

    def add(self, options: dict[str, Any]) -> None:
        operator = services.add_operator(name=options["name"])
        self.stdout.write(f"Operator {operator.name} added.")
