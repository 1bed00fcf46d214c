"""`manage.py apikey create --user EMAIL [--scope ...]`"""

from typing import Any

from django.core.management.base import CommandParser

from accounts import services
from accounts.permissions import KEY_SCOPES
from accounts.selectors import user_with_email
from csms.management.shell import Shell, moment


class Command(Shell):
    help = "Keys with which programs use the REST API."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="action")
        create = actions.add_parser("create", help="makes a key and prints it once, alone on the last line")
        create.set_defaults(run=self.create)
        create.add_argument("--user", required=True, metavar="EMAIL", help="the person for whom it acts")
        create.add_argument(
            "--scope",
            action="extend",
            nargs="+",
            default=[],
            choices=sorted(KEY_SCOPES),
            help="limits it; without, all the user may do",
        )
        create.add_argument("--expires", metavar="WHEN", help="a date or time, such as 2027-01-31; UTC unless it says otherwise")

    def create(self, options: dict[str, Any]) -> None:
        user = user_with_email(options["user"])
        key, text = services.create_api_key(user=user, scopes=options["scope"], expires_at=moment(options["expires"]))
        self.stdout.write(f"A key for {user.email} of {key.operator.name}, limited to: {', '.join(key.scopes) or 'nothing'}.")
        self.stdout.write("Send it as `Authorization: Api-Key <key>`. It is shown only this once:")
        self.stdout.write(text)
