"""`manage.py user add EMAIL --operator NAME --role ROLE [--password P]`"""

from typing import Any

from django.core.management.base import CommandParser

from accounts import services
from accounts.models import Role
from accounts.selectors import operator_named
from csms.management.shell import Shell


class Command(Shell):
    help = "People who log in."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="action")
        add = actions.add_parser("add", help="adds a person; a password is made and printed once if none is given")
        add.set_defaults(run=self.add)
        add.add_argument("email", metavar="EMAIL")
        add.add_argument("--operator", metavar="NAME", help="may be left out where there is only one")
        add.add_argument("--role", required=True, choices=Role.values)
        add.add_argument("--password")
        add.add_argument("--name", default="", help="the person's name")

    def add(self, options: dict[str, Any]) -> None:
        operator = operator_named(options["operator"])
        user, password = services.add_user(
            email=options["email"],
            operator=operator,
            role=options["role"],
            password=options["password"],
            name=options["name"],
        )
        self.stdout.write(f"{user.email} added to {operator.name} as {user.role}.")
        if options["password"] is None:
            self.stdout.write("Password, shown only this once:")
            self.stdout.write(password)
