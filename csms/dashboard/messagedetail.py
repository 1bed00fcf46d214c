"""One exchange in full: its frames as JSON with what is wrong marked at its place, what it became, and what belongs to it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db.models import Q
from django.utils.translation import gettext as _

from csms.dashboard import findingwords, messagelog, messagewords
from csms.dashboard.commandrows import pretty
from csms.dashboard.findingword import Word, Words
from csms.ocpp import fixtures, links, mend, registry, schemas, signed
from csms.ocpp.errors import MessageError
from stations.domain.commands import BadCommand
from stations.domain.values import Note
from stations.models import Finding, MessageLogEntry, Station

NEARBY = timedelta(minutes=1)
Path = tuple[Any, ...]
Marks = dict[Path, list[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of JSON, and what is wrong there."""

    indent: str
    text: str
    notes: list[str]


@dataclass(slots=True)
class Frame:
    """`lines` is None where the text is no JSON; `about` is what is wrong with the message as a whole."""

    text: str
    lines: list[Line] | None = None
    about: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return len(self.about) + sum(len(line.notes) for line in self.lines or ())


@dataclass(frozen=True, slots=True)
class Seal:
    """The signatures of a message, checked with the key that its charger has now. `change`: what may be done about it."""

    right: bool
    word: Word
    change: Word
    text: str


@dataclass(slots=True)
class Exchange:
    """One exchange in full. `facts` are what the event or command says, by name."""

    entry: MessageLogEntry
    call: Frame
    answer: Frame | None
    findings: list[Finding]
    word: messagewords.Word = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    fixture: dict[str, Any] | None = None
    curl: str = ""
    kind: messagewords.Kind = messagewords.OTHER
    seal: Seal | None = None

    @property
    def path(self) -> str:
        """Where the fixture belongs."""
        folder = schemas.FOLDERS.get(self.entry.protocol, "")
        if self.fixture is not None and "understood" in self.fixture:
            return f"tests/wire/quirks-{folder}.json"
        return f"tests/wire/{folder}/{'out/' if self.entry.direction == 'out' else ''}{self.entry.action}.json"


def entry(station: Station, pk: int, at: datetime | None) -> MessageLogEntry | None:
    """With the time from a link it is one look into the index, without it one over all that the charger said."""
    found = MessageLogEntry.objects.filter(station=station, pk=pk)
    return (found.filter(received_at=at).first() if at else None) or found.first()


def seal(station: Station, known: MessageLogEntry) -> Seal | None:
    """None: it was not signed, or a secret in it is not kept."""
    if not known.signatures:
        return None
    said = signed.logged(known.call if known.direction == "in" else known.answer, known.signatures)
    note = signed.checked(said, known.action, station.signing_key)
    words = findingwords.words(note.code) if note else Words(_("Signed with the charger's key"), "")
    return Seal(note is None, words.title, words.change, pretty(said.made))


def exchange(station: Station, known: MessageLogEntry, address: str) -> Exchange:
    """`address`: the raw door of the API for this charger, up to the action."""
    near = Q(message_id=known.message_id) | Q(last_at__gte=known.received_at - NEARBY, last_at__lte=known.received_at + NEARBY)
    findings = Finding.objects.filter(near, station=station).order_by("-last_at")[:20]
    made = Exchange(known, Frame(known.call), Frame(known.answer) if known.answer else None, list(findings))
    made.kind = messagewords.kind_of(known.action, known.direction)
    made.word = messagewords.word_of(known.event, known.direction)
    links.attach([known])
    call, answer = messagelog.frame(known.call), messagelog.frame(known.answer)
    said, heard = _payload(call, 2, 3), _payload(answer, 3, 2)
    if said is not None and known.protocol in registry.PROTOCOLS and known.action in schemas.actions(known.protocol):
        _understand(made, said, heard)
        if known.direction == "out":
            body = orjson.dumps(said).decode()
            made.curl = f'curl -X POST {shlex.quote(f"{address}{known.action}/")} -H "Authorization: Api-Key $KEY"'
            made.curl += f" -H 'Content-Type: application/json' --data {shlex.quote(body)}"
    made.call.lines = made.call.lines or _lines_of(call, {})
    if made.answer:
        made.answer.lines = made.answer.lines or _lines_of(answer, {})
    return made


def _understand(made: Exchange, said: Any, heard: Any) -> None:
    """Read the message again, as it was read when it came: reading is pure."""
    known = made.entry
    name = f"{known.action} {known.message_id}"
    notes: list[Note] = []
    event: Any = None
    try:
        if known.direction == "in":
            clean, notes = mend.mend(known.protocol, known.action, said, known.received_at)
            event = registry.incoming(known.protocol, known.action).decode(mend.whole(clean), notes)
            made.fixture = fixtures.heard(name, known.protocol, known.action, known.call, said, heard, known.received_at)
        elif known.action in registry.BY_ACTION[known.protocol]:
            event = registry.BY_ACTION[known.protocol][known.action].parse(said)
            made.fixture = fixtures.asked(name, known.protocol, known.action, said, heard)
    except MessageError as error:
        made.call.about.append(error.description)
    except (BadCommand, KeyError, TypeError, ValueError):
        event = None  # masked beyond being read again
    _mark(made.call, (3,), known.protocol, known.action, said, notes)
    if made.answer and heard is not None:
        _mark(made.answer, (2,), known.protocol, f"{known.action}Response", heard, [])
    if event is not None:
        facts: dict[str, Any] = fixtures.as_json(event)
        kind = facts.pop("type", type(event).__name__)
        made.word = messagewords.word_of(kind, known.direction, str(facts.get("part", "")))
        made.facts = [(key, value if isinstance(value, str) else orjson.dumps(value).decode()) for key, value in facts.items()]


def _mark(frame: Frame, root: Path, protocol: str, name: str, payload: Any, notes: list[Note]) -> None:
    """Put each violation, with how it was mended, at its place; what has none is about the whole."""
    marks: Marks = {}
    for path, sentence in mend.violations(protocol, name, payload):
        marks.setdefault((*root, *path), []).append(sentence)
    places = list(_paths(payload, root))
    for note in notes:
        place = next((path for path in places if _dotted(path[len(root) :]) == note.subject), None)
        if place is None:
            frame.about.append(note.detail)
        elif note.code == "mended_additionalProperties":
            for path in [path for path in marks if path[:-1] == place and path[-1] in note.detail]:
                marks[path].append(note.detail)
        else:
            marks.setdefault(place, []).append(note.detail)
    frame.lines = _lines_of(messagelog.frame(frame.text), marks)


def _paths(value: Any, path: Path) -> Iterator[Path]:
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield from _paths(item, (*path, step))


def _dotted(path: Path) -> str:
    return ".".join(step for step in path if isinstance(step, str))


def _lines_of(value: Any, marks: Marks) -> list[Line] | None:
    if value is None or isinstance(value, str):
        return None
    try:
        return list(_lines(value, marks, (), 0, "", ""))
    except RecursionError:
        return None


def _lines(value: Any, marks: Marks, path: Path, depth: int, before: str, after: str) -> Iterator[Line]:
    """As `pretty` writes it, line by line."""
    indent, notes = "  " * depth, marks.get(path, [])
    steps = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    if not steps:
        yield Line(indent, before + pretty(value) + after, notes)
        return
    named = isinstance(value, dict)
    yield Line(indent, before + ("{" if named else "["), notes)
    for number, (step, item) in enumerate(steps, start=1):
        head = f"{pretty(step)}: " if named else ""
        yield from _lines(item, marks, (*path, step), depth + 1, head, "," if number < len(steps) else "")
    yield Line(indent, ("}" if named else "]") + after, [])


def _payload(frame: Any, kind: int, place: int) -> Any:
    """None: it is no frame of this kind."""
    return frame[place] if isinstance(frame, list) and len(frame) > place and frame[0] == kind else None


def fixture_file(made: Exchange) -> bytes:
    """As the files under tests/wire are written."""
    return orjson.dumps(made.fixture, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def why_no_fixture(made: Exchange) -> str:
    if made.entry.protocol not in registry.PROTOCOLS or made.call.lines is None:
        return _("What came is no frame that could be played again.")
    return _("It was not understood, or its answer cannot be told from what is kept: a test of it has to be written by hand.")
