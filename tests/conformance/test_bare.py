"""Whether the suite proves anything: a server that says yes to everything and keeps nothing must fail it."""

import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
from django.conf import settings

from csms.ocpp import schemas
from tests.conformance.bare import acceptance
from tests.servers import environment


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
def test_what_the_bare_server_answers_keeps_to_the_schemas(protocol: str) -> None:
    for action in schemas.actions(protocol):
        assert schemas.validator(protocol, f"{action}Response").is_valid(acceptance(protocol, action)), action


@pytest.mark.long
def test_a_server_that_accepts_everything_and_keeps_nothing_fails_nine_cases_in_ten(tmp_path: Path, db: None) -> None:
    report = tmp_path / "report.xml"
    folders = [str(Path(__file__).parent / one) for one in ("v16", "v201")]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", f"--junitxml={report}", *folders],
        cwd=settings.BASE_DIR,
        env=environment(CONFORMANCE_BARE="1"),
        check=False,
    )
    played = xml.parse(report).findall(".//testcase")  # noqa: S314  (our own)
    passed = [one.get("name") for one in played if len(one.findall("failure")) + len(one.findall("error")) == 0]
    assert len(played) > 1
    assert len(passed) <= len(played) / 10, passed
