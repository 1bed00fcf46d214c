"""The page says what the cases say."""

from pathlib import Path

from tests.conformance import page


def test_the_page_is_what_would_be_made_of_the_cases_now() -> None:
    written = page.PAGE.read_text()
    assert page.made(page.results_of(written)) == written, "Run `make conformance`."


def test_a_report_is_read_by_case(tmp_path: Path) -> None:
    case = '<testcase><properties><property name="case" value="1.6 {}"/></properties>{}</testcase>'
    report = tmp_path / "report.xml"
    report.write_text(
        f"<testsuite>{case.format('A', '')}{case.format('B', '<failure/>')}{case.format('C', '<skipped/>')}</testsuite>"
    )
    assert page.played(report) == {("1.6", "A"): "passed", ("1.6", "B"): "failed", ("1.6", "C"): "not played"}


def test_the_results_are_read_back_from_the_page() -> None:
    results = {("1.6", "TC_001_CSMS"): "passed", ("2.0.1", "TC_B_01_CSMS"): "failed"}
    assert {key: result for key, result in page.results_of(page.made(results)).items() if result != "not played"} == results


def test_an_action_is_sent_by_its_own_command_and_not_by_what_travels_inside_it() -> None:
    assert "| `DataTransfer` | handled | `data_transfer` |" in page.made({}).partition("## Cases of OCPP 2.0.1")[0]
