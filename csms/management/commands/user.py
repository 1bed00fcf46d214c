"""`manage.py user add EMAIL --operator NAME --role ROLE [--password P]`, `manage.py user recover EMAIL [--password P]`"""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people, services
from accounts.models import Role
from accounts.selectors import operator_named, user_with_email
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
        help = "lets in a person who has lost password or telephone: a new password, printed once, and no second factor"
        recover = actions.add_parser("recover", help=help)
        recover.set_defaults(run=self.recover)
        recover.add_argument("email", metavar="EMAIL")
        recover.add_argument("--password")

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

    def recover(self, options: dict[str, Any]) -> None:
        person = user_with_email(options["email"])
        password = people.recover(person=person, password=options["password"])
        self.stdout.write(f"{person.email} logs in by a new password alone now, and is logged out everywhere.")
        if options["password"] is None:
            self.stdout.write("Password, shown only this once:")
            self.stdout.write(password)
