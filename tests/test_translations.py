"""The catalogues of translations: whole, compiled, and with the placeholders of the texts."""

import re
from collections.abc import Iterator
from functools import cache

import pytest
from babel.messages.catalog import Message
from django.conf import settings

from csms.local import messages

LANGUAGES = pytest.mark.parametrize("language", messages.LANGUAGES)
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|%%|</?\w+>")


def strings(message: Message) -> list[tuple[str, str]]:
    """Each text with its translation; a plural's forms each with the text in the plural."""
    if isinstance(message.string, str):
        return [(message.id, message.string)]
    return [(message.id[index], string) for index, string in enumerate(message.string)]


@pytest.fixture(autouse=True, scope="module")
def read_once() -> Iterator[None]:
    """To take the texts out of code and templates takes a second, and they stay as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "texts", cache(lambda read=messages.texts: tuple(read())))
        yield


def test_every_language_but_english_has_a_catalogue() -> None:
    assert {code for code, _name in settings.LANGUAGES} == {"en", *messages.LANGUAGES}


@LANGUAGES
def test_every_text_is_translated_and_nothing_else(language: str) -> None:
    catalog = messages.read(language)
    assert {(one.id, one.context) for one in catalog} == {(one.id, one.context) for one in messages.template()}
    assert messages.untranslated(catalog) == []


@LANGUAGES
def test_a_text_that_is_new_would_be_listed(language: str) -> None:
    catalog = messages.read(language)
    catalog.add("A text that nobody has translated.")
    assert [one.id for one in messages.untranslated(catalog)] == ["A text that nobody has translated."]


@LANGUAGES
def test_a_catalogue_is_as_make_messages_writes_it(language: str) -> None:
    path = messages.path_of(language)
    assert path.read_bytes() == messages.as_po(messages.updated(language))
    assert path.with_suffix(".mo").read_bytes() == messages.as_mo(messages.read(language))


@LANGUAGES
def test_a_translation_has_the_placeholders_and_the_blanks_of_its_text(language: str) -> None:
    for message in messages.read(language):
        if message.id:
            for text, translated in strings(message):
                assert sorted(PLACEHOLDER.findall(translated)) == sorted(PLACEHOLDER.findall(text)), text
                assert translated == translated.strip(), text


@LANGUAGES
def test_no_two_states_of_a_plug_have_the_same_letter(language: str) -> None:
    letters = [one.string for one in messages.read(language) if one.context == "letter of a state"]
    assert len(letters) == 9 == len(set(letters))
