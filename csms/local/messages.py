"""The catalogues of translations: `make messages` takes the texts out of code and templates, says what is not translated, compiles.

A catalogue holds no line numbers and no dates, so that it changes only where a text does, and branches merge.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("accounts", "billing", "csms", "stations", "templates")
LANGUAGES = ("de", "nl")
KEYWORDS: dict[str, Any] = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
    # stations/domain knows nothing of Django; csms/dashboard/words.py translates what it says.
    "BadCommand": None,
}
WIDTH = 120


class Texts(Catalog):
    """A catalogue whose header says nothing of when and by what it was made."""

    def __init__(self, language: str | None = None) -> None:
        super().__init__(locale=language, charset="utf-8", fuzzy=False)

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale_identifier)),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Plural-Forms", self.plural_forms),
        ]


def source(path: Path) -> IO[bytes]:
    """Python, or what gettext takes for Python: the texts of a template among other things."""
    if path.suffix != ".html":
        return path.open("rb")
    # Its lines are indented as the template's are, which in Python is an error.
    return io.BytesIO("\n".join(map(str.strip, templatize(path.read_text()).splitlines())).encode())


def texts() -> Iterator[tuple[Any, str | None]]:
    """Every text (one with a plural is a tuple) and its context."""
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*")):
        if path.suffix in (".py", ".html") and "migrations" not in path.parts:
            with source(path) as file:
                for _line, text, _comments, context in extract("python", file, keywords=KEYWORDS):
                    yield text, context


def template(language: str | None = None) -> Texts:
    """A catalogue of all texts without translations."""
    catalog = Texts(language)
    for text, context in texts():
        catalog.add(text, context=context)
    return catalog


def path_of(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Texts:
    """The catalogue as it stands in its file; an empty one if there is none yet."""
    catalog, path = Texts(language), path_of(language)
    if path.exists():
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    catalog[message.id] = message
    return catalog


def updated(language: str) -> Texts:
    """The catalogue with the texts there are now. A text that changed is untranslated: nothing is guessed."""
    old, new = read(language), template(language)
    for message in new:
        if message.id and (was := old.get(message.id, message.context)):
            message.string = was.string
    return new


def as_po(catalog: Texts) -> bytes:
    out = io.BytesIO()
    write_po(out, catalog, width=WIDTH, no_location=True, omit_header=True, sort_output=True)
    return _header(catalog).encode() + out.getvalue()


def as_mo(catalog: Texts) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def _header(catalog: Texts) -> str:
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{name}: {value}\\n"\n' for name, value in catalog.mime_headers) + "\n"


def untranslated(catalog: Texts) -> list[Message]:
    return [message for message in catalog if message.id and (message.fuzzy or not all(_strings(message)))]


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


def main() -> int:
    missing = 0
    for language in LANGUAGES:
        catalog = updated(language)
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_po(catalog))
        path.with_suffix(".mo").write_bytes(as_mo(read(language)))
        left = untranslated(catalog)
        missing += len(left)
        print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {len(left)} to translate")
        for message in left:
            print(f"  {message.id if isinstance(message.id, str) else message.id[0]}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
