"""Where senders speak: which paths and methods are a dialect's, and what stands in them."""

from urllib.parse import quote

import pytest

from alerts.dialects import DIALECTS, methods_at, spoken_at


def test_a_path_is_the_dialects_and_its_token_is_kept_apart() -> None:
    spoken = spoken_at("in/0f3c")
    assert spoken is not None
    assert (spoken.dialect.name, spoken.address, spoken.token) == ("generic", "in/<token>", "0f3c")
    assert (spoken.method, spoken.parts, spoken.path) == ("POST", {}, "in/<token>")


def test_what_stands_in_a_path_is_kept_as_its_sender_meant_it() -> None:
    spoken = spoken_at("incidentio/v2/alert_events/http/a%2Fb%20c")
    assert spoken is not None
    assert (spoken.address, spoken.token) == ("incidentio/v2/alert_events/http/<id>", "")
    assert spoken.parts == {"id": "a/b c"}
    assert spoken.path == "incidentio/v2/alert_events/http/a%2Fb c"
    assert spoken_at(spoken.path) == spoken


@pytest.mark.parametrize("name", ["50%", "%2F", "a/b", "\N{SNOWMAN}", "x?y#z", "<identifier>"])
def test_any_name_is_read_again_from_what_is_stored(name: str) -> None:
    spoken = spoken_at(f"opsgenie/v2/alerts/{quote(name, safe='')}/close")
    assert spoken is not None
    assert spoken.parts == {"identifier": name}
    again = spoken_at(spoken.path)
    assert again is not None
    assert (again.address, again.parts) == (spoken.address, spoken.parts)


@pytest.mark.parametrize("path", ["in/", "in/a/b", "in/a/", "alerts/1", ""])
def test_nothing_is_spoken_elsewhere(path: str) -> None:
    assert spoken_at(path) is None
    assert methods_at(path) == []


def test_methods_that_an_address_does_not_hear_are_not_its_own() -> None:
    assert spoken_at("in/0f3c", "DELETE") is None
    assert "POST" in methods_at("in/0f3c")


@pytest.mark.parametrize(
    "address", [address for dialect in DIALECTS.values() for address in dialect.addresses], ids=str
)
def test_a_stored_path_leads_back_to_its_address(address: str) -> None:
    [method, *_] = methods_at(address.replace("path:", ""))
    spoken = spoken_at(address.replace("path:", ""), method)
    assert spoken is not None
    assert spoken_at(spoken.path, method) == spoken


def test_only_addresses_of_a_dialect_have_methods_of_their_own() -> None:
    for dialect in DIALECTS.values():
        assert set(dialect.methods) <= set(dialect.addresses), dialect.name
