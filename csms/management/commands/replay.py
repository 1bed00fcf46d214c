"""`manage.py replay FILE [--operator NAME] [--check] [--prices]`: a recorded message log into an empty database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django_scopes import scopes_disabled

from accounts import services
from accounts.models import Operator
from accounts.selectors import operator_named
from csms.management.shell import from_the_shell, sentences
from csms.ocpp.recording import Recording, Unreadable
from csms.ocpp.replay import Difference, Done, Replay
from stations import ports
from stations.models import Finding, MeterSample, StatusHistory, Transaction

#: What is printed of an answer that differs.
LONGEST = 300
#: The network that a recording goes into where there is none.
NAME = "Replayed"


class Command(BaseCommand):
    help = (
        "Feeds a recorded message log (NDJSON, as the log's page gives it to somebody who looks after id tags) into an empty "
        "database, with the times and the transaction ids of then. Chargers and id tags are registered as they come. Nothing is "
        "sent and nobody is told. A replay that fails leaves nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--operator",
            metavar="NAME",
            help="whose chargers they are: made if there is none of that name; may be left out with one",
        )
        parser.add_argument("--check", action="store_true", help="exit with 1 if anything is answered otherwise than it was")
        parser.add_argument(
            "--prices", action="store_true", help="price the sessions by this database's tariffs when a worker runs"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        bell, ports.bell = ports.bell, ports.Silence()
        try:
            with sentences(), from_the_shell(), Recording(options["file"]) as recording, transaction.atomic():
                operator = _operator(options["operator"])
                self.stderr.write(f"{len(recording)} lines")
                done = Replay(operator, prices=options["prices"], tell=self.stderr.write).play(recording)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except Unreadable as error:
            lines = [f"Line {number}: {reason}" for number, reason in error.errors]
            more = [f"... and {error.count - len(lines)} more."] if error.count > len(lines) else []
            raise CommandError("\n".join([str(error), *lines, *more, "Nothing was kept."])) from error
        except KeyboardInterrupt:
            raise CommandError("Broken off; nothing was kept.", returncode=130) from None
        finally:
            ports.bell = bell
        self._tell(operator, done)
        if options["check"] and done.differing:
            raise CommandError(f"{done.differing} answers differ.", returncode=1)

    def _tell(self, operator: Operator, done: Done) -> None:
        with scopes_disabled():
            made = {
                word: model._default_manager.filter(operator=operator).count()
                for word, model in (
                    ("sessions", Transaction),
                    ("meter samples", MeterSample),
                    ("states", StatusHistory),
                    ("findings", Finding),
                )
            }
        self.stdout.write(f"Replayed {done.messages} messages of {done.stations} chargers into {operator.name}.")
        self.stdout.write(f"Its tables now have: {', '.join(f'{count} {word}' for word, count in made.items())}.")
        if done.tags:
            self.stdout.write(f"{done.tags} id tags were enrolled, since they were good then.")
        if done.calls or done.unread:
            unread = f"; {done.unread} cannot be read again and were left out" if done.unread else ""
            self.stdout.write(f"{done.calls} calls to chargers had their effect again; nothing was sent{unread}.")
        if not done.differing:
            self.stdout.write("Every answer is the one of then.")
            return
        self.stdout.write(f"{done.differing} answers differ from those of then:")
        for difference in done.differences:
            self.stdout.write(_sentence(difference))
        if done.differing > len(done.differences):
            self.stdout.write(f"  ... and {done.differing - len(done.differences)} more.")


def _operator(name: str | None) -> Operator:
    if name and not Operator.objects.filter(name=name).exists():
        return services.add_operator(name=name)
    if not name and not Operator.objects.exists():
        return services.add_operator(name=NAME)
    return operator_named(name)


def _sentence(one: Difference) -> str:
    then, now = (orjson.dumps(answer).decode()[:LONGEST] for answer in (one.then, one.now))
    return f"  line {one.line}, {one.station} {one.action}: then {then}, now {now}"
