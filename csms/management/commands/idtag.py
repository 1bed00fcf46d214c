"""`manage.py idtag add VALUE [--operator NAME] [--type ...] [--group G] [--status ...] [--expires ...]`, `idtag import FILE.csv`"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts import imports, services
from accounts.models import IdTokenStatus, IdTokenType
from accounts.selectors import operator_named
from csms.management.shell import Shell, moment


class Command(Shell):
    help = "Id tags: what drivers present to a station."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="action")
        add = actions.add_parser("add", help="adds a tag")
        add.set_defaults(run=self.add)
        add.add_argument("value", metavar="VALUE")
        add.add_argument("--type", default=IdTokenType.ISO14443.value, choices=IdTokenType.values)
        add.add_argument("--group", metavar="NAME", help="tags of one group may stop each other's transactions")
        add.add_argument("--status", default=IdTokenStatus.ACCEPTED.value, choices=IdTokenStatus.values)
        add.add_argument("--expires", metavar="WHEN", help="a date or time, such as 2027-01-31; UTC unless it says otherwise")
        add.add_argument("--note", default="")
        load = actions.add_parser("import", help="adds or changes the tags of a CSV file: all of them or none")
        load.set_defaults(run=self.load)
        load.add_argument("file", metavar="FILE.csv", type=Path, help=f"with a header of {','.join(imports.all_columns())}")
        for action in (add, load):
            action.add_argument("--operator", metavar="NAME", help="may be left out where there is only one")

    def add(self, options: dict[str, Any]) -> None:
        operator = operator_named(options["operator"])
        token = services.add_id_token(
            operator=operator,
            expires_at=moment(options["expires"]),
            **{name: options[name] for name in ("value", "type", "group", "status", "note")},
        )
        self.stdout.write(f"Id tag {token.value} ({token.type}, {token.status}) added to {operator.name}.")

    def load(self, options: dict[str, Any]) -> None:
        operator = operator_named(options["operator"])
        try:
            with options["file"].open("rb") as file:
                content = file.read(imports.MAX_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        done = services.import_id_tokens(operator=operator, content=content)
        self.stdout.write(f"{done.added} id tags added to {operator.name}, {done.changed} changed.")
