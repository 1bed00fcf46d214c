"""Id tags from a file: all or none."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django_scopes import scope
from pytest_django import DjangoAssertNumQueries

from accounts import imports, services
from accounts.models import IdToken, IdTokenGroup, Operator

HEADER = "value,type,group,status,expires,note\n"


@pytest.fixture
def amber(db: None) -> Operator:
    return services.add_operator(name="Amber Grid")


def rows(operator: Operator) -> list[tuple[object, ...]]:
    with scope(operator=operator):
        return list(IdToken.objects.values_list("value", "type", "group__name", "status", "note"))


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("mark", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_tags_is_imported(amber: Operator, bom: bytes, mark: str, end: str) -> None:
    lines = ["value,type,group,status,expires,note", "04A1,,fleet,,2027-01-31,Zoë", "", "04A2,KeyCode,,Blocked,,"]
    done = services.import_id_tokens(operator=amber, content=bom + end.join(lines).replace(",", mark).encode())
    assert done == imports.Imported(added=2, changed=0)
    assert rows(amber) == [("04A1", "ISO14443", "fleet", "Accepted", "Zoë"), ("04A2", "KeyCode", None, "Blocked", "")]


def test_a_known_tag_is_changed_in_the_columns_that_the_file_has(amber: Operator) -> None:
    services.add_id_token(operator=amber, value="abc", group="fleet", note="Dee")
    done = services.import_id_tokens(operator=amber, content=b"status,VALUE\nBlocked,ABC\nAccepted,new\n")
    assert (done.added, done.changed) == (1, 1)
    assert rows(amber) == [("ABC", "ISO14443", "fleet", "Blocked", "Dee"), ("new", "ISO14443", None, "Accepted", "")]


def test_another_operators_tags_are_not_touched(amber: Operator) -> None:
    cobalt = services.add_operator(name="Cobalt Charging")
    services.add_id_token(operator=cobalt, value="abc", note="Cleo")
    services.import_id_tokens(operator=amber, content=b"value,note\nabc,Dee\n")
    assert (rows(cobalt)[0][-1], rows(amber)[0][-1]) == ("Cleo", "Dee")


def test_every_bad_line_is_named_and_nothing_imported(amber: Operator) -> None:
    lines = f'good,,,,,\nbad,Tattoo,,,,\n"two\nlines",,,,,\nGOOD,,,,,\n,,,,,x\nlate,,,,soon,\nfew,\nlong,,{"g" * 21},,,\n'
    with pytest.raises(ValidationError) as refused:
        services.import_id_tokens(operator=amber, content=(HEADER + lines).encode())
    said = refused.value.messages
    assert [message.split(":")[0] for message in said] == [f"line {number}" for number in (3, 4, 6, 7, 8, 9, 10)]
    assert "type: Value 'Tattoo' is not a valid choice." in said[0]
    assert "stands on line 2 already" in said[2]
    assert "2 values for 6 columns" in said[5]
    assert rows(amber) == []
    with scope(operator=amber):
        assert not IdTokenGroup.objects.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "header is missing"),
        (b"04A1,fleet\n", "header is missing"),
        (b"value,colour\nx,red\n", "Unknown columns: colour"),
        (b"value,value\nx,y\n", "twice"),
        (b"value\nok\n\xff\xfe\n", "line 3: The file is not UTF-8"),
        (b'value\n"open\n', "line 2: This is not CSV"),
        (b"value\n" + b"x" * 200_000, "line 2: This is not CSV"),
        (b"x" * (imports.MAX_BYTES + 1), "larger than 5 MiB"),
        (b"value\na\x00b\n", "line 2: value: Control characters"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_reason(amber: Operator, content: bytes, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        services.import_id_tokens(operator=amber, content=content)
    assert says in refused.value.messages[0]


def test_a_large_file_may_take_its_time(amber: Operator) -> None:
    """It takes half a minute to understand; who says nothing in a transaction for so long is ended elsewhere."""
    services.import_id_tokens(operator=amber, content=b"value\nabc\n")
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("5min",)


def test_a_thousand_tags_take_a_few_statements(amber: Operator, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    content = "value,group\n" + "".join(f"tag{number},group{number % 7}\n" for number in range(1000))
    with django_assert_max_num_queries(9):
        services.import_id_tokens(operator=amber, content=content.encode())
    assert len(rows(amber)) == 1000
