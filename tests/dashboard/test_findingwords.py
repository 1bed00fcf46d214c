"""Every finding has words: what it is called, what the rule says and where, what was done, what to change."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from billing import signedchecks
from csms.dashboard.findingwords import CATALOGUE, did, words
from csms.ocpp.errors import MessageError, NotAcceptedYet, UnknownAction, UnsupportedAction
from csms.ocpp.mend import MENDERS
from stations.quality import NO_FAULT
from stations.services import authorization, repairs

ROOT: Path = settings.BASE_DIR
#: As findings are written in the source; those of the stations' own values are named by constants.
WRITTEN = re.compile(r'(?:\b(?:Note|Sign|self\._note)\(\s*|\b_leave\(batch, found, |\bcode ?= ?)"(\w+)"')


def emitted() -> set[str]:
    """The code of every finding there can be."""
    sources = [path.read_text() for folder in ("stations", "csms/ocpp") for path in (ROOT / folder).rglob("*.py")]
    found = {code for text in sources for code in WRITTEN.findall(text)}
    families = {f"mended_{kind}" for kind in MENDERS} | {
        f"refused_{error.code.value}" for error in (UnknownAction, UnsupportedAction)
    }
    of_meters = {signedchecks.DIFFERS, *(code for code, _ in signedchecks.CODES.values())}
    return found | families | of_meters | {authorization.UNKNOWN, repairs.FINDING}


def test_every_finding_has_words_and_no_words_are_of_none() -> None:
    assert emitted() == set(CATALOGUE)


def test_the_codes_are_found_where_they_are_written() -> None:
    assert {"frame_binary", "sample_differs", "clock_ahead", "mended_nul", "value_absurd"} <= emitted()
    assert issubclass(NotAcceptedYet, MessageError)  # which leaves no finding: every message before the boot would be one


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_words_say_all_that_a_vendor_needs(code: str) -> None:
    told = words(code)
    assert told.title
    assert str(told.says).endswith(".")
    assert str(did(code)).endswith(".")
    assert (bool(told.change) and bool(told.source)) or code in NO_FAULT
    assert not told.change or str(told.change).endswith(".")


def test_a_code_of_another_version_has_its_name() -> None:
    assert (words("some_new_thing").title, words("some_new_thing").says, did("some_new_thing")) == ("Some new thing", "", "")
