"""Custom fields over HTTP: defined, shown as the original's catalogue, written and read."""

from __future__ import annotations

import time

import psycopg
import pytest

from kartoteka.db.embedded import running_url

PATH = "/api/v1/additionalfields"


@pytest.fixture
def define(api):
    """`define(name=..., type=...)` gives the field; all are deleted after the test."""
    made: list[int] = []

    def make(**definition):
        answer = api.post(PATH, json=definition)
        assert answer.status_code == 200, answer.text
        made.append(answer.json()["id"])
        return answer.json()

    yield make
    for field_id in made:
        api.delete(f"{PATH}/{field_id}")


def known_fields(api) -> dict[str, dict]:
    return {f"{one['listKey']}.{one['key']}": one for one in api.get(PATH).json()}


def test_an_account_starts_with_birthday_and_gender(api):
    fields = known_fields(api)
    assert fields["PERSONAL.BIRTHDAY"]["type"] == "DATE"
    assert fields["PERSONAL.BIRTHDAY"]["recurring"] is True
    assert fields["PERSONAL.GENDER"]["possibleValues"] == ["male", "female"]


def test_the_catalogue_collapses_lists_of_one(api, define):
    before = api.get("/api/v1/addressbooks").json()["addressBook"]
    assert set(before) == {"addressBookId", "name", "fieldGroups"}
    group = before["fieldGroups"]
    assert (group["name"], group["profileKey"]) == ("Personal", "PERSONAL")
    assert [one["fieldKey"] for one in group["fields"]] == ["BIRTHDAY", "GENDER"]
    assert group["fields"][1]["description"] == {
        "type": "COMBOBOX",
        "allowedValues": {"possibleValues": ["male", "female"]},
        "required": False,
        "readonly": False,
    }
    define(name="Bonus", listName="Loyalty", type="NUMBER", minValue=0, maxValue=10.5)
    loyalty, _ = api.get("/api/v1/addressbooks").json()["addressBook"]["fieldGroups"]
    field = loyalty["fields"]
    assert (field["name"], field["fieldKey"]) == ("Bonus", "BONUS")
    assert field["description"]["allowedValues"] == {"minValue": 0, "maxValue": 10.5}


def test_a_value_is_written_checked_and_read(api, define, name):
    size = define(name="Shoe size", type="number", minValue=20, maxValue=60)
    assert (size["key"], size["listKey"]) == ("SHOE_SIZE", "PERSONAL")
    time.sleep(1.1)  # other processes know a new field within a second
    body = {"externalCustomerId": name, "fields": [{"id": str(size["id"]), "value": 42}]}
    contact_id = api.post("/api/v1/contact", json=body).json()["id"]
    path = f"/api/v1/contact/{contact_id}"
    assert api.get(path).json()["fields"] == [{"id": size["id"], "value": "42"}]
    body["fields"] = {"id": size["id"], "value": 99}
    answer = api.post("/api/v1/contact?explain=true", json=body).json()
    assert [one["code"] for one in answer["resolution"]["warnings"]] == ["invalid_field"]
    api.delete(f"{PATH}/{size['id']}")
    time.sleep(1.1)
    assert "fields" not in api.get(path).json()


def test_a_field_changes_all_but_its_place_and_type(api, define):
    made = define(name="Colour", type="COMBOBOX", possibleValues=["blue"])
    path = f"{PATH}/{made['id']}"
    changed = api.put(path, json={"name": "Color", "possibleValues": ["blue", "red"]}).json()
    assert changed == made | {"name": "Color", "possibleValues": ["blue", "red"]}
    assert known_fields(api)["PERSONAL.COLOUR"] == changed
    assert api.put(path, json={"type": "NUMBER"}).status_code == 400
    assert api.put(path, json={"possibleValues": []}).status_code == 400
    assert api.put(f"{PATH}/{2**31}", json={}).status_code == 404
    assert api.put(f"{PATH}/999999", json={}).status_code == 404
    assert known_fields(api)["PERSONAL.COLOUR"] == changed


def test_one_key_a_list(api, define):
    define(name="Colour")
    answer = api.post(PATH, json={"name": "colour"})
    assert (answer.status_code, answer.json()["code"]) == (409, "field_key_taken")
    define(name="colour", listName="Other")


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"name": " "},
        {"name": "Ім'я"},
        {"name": "x" * 101},
        {"name": "X", "type": "PICTURE"},
        {"name": "X", "type": ["NUMBER"]},
        {"name": "X", "type": "COMBOBOX"},
        {"name": "X", "possibleValues": ["a"]},
        {"name": "X", "type": "COMBOBOX", "possibleValues": ["a", "a"]},
        {"name": "X", "type": "CHECKBOXLIST", "possibleValues": ["a,b"]},
        {"name": "X", "minValue": 1},
        {"name": "X", "type": "NUMBER", "minValue": 2, "maxValue": 1},
        {"name": "X", "type": "NUMBER", "minValue": "much"},
        {"name": "X", "type": "NUMBER", "minValue": "NaN"},
        {"name": "X", "type": "NUMBER", "minValue": 1e300},
        {"name": "X", "recurring": True},
        {"name": "X", "required": "yes"},
        {"name": "X", "key": "a b"},
        {"name": {"a": 1}},
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(api, definition):
    before = known_fields(api)
    answer = api.post(PATH, json=definition)
    assert answer.status_code == 400, answer.text
    assert known_fields(api) == before


def test_only_full_rights_define_fields(server, keys):
    import httpx

    for rights in ("contacts", "contacts_write", "events"):
        with httpx.Client(base_url=server.url, auth=("", keys[rights]), timeout=120) as client:
            assert client.post(PATH, json={"name": "X"}).status_code == 403
            assert client.delete(f"{PATH}/1").status_code == 403
            assert client.get(PATH).status_code == (200 if rights == "contacts" else 403)


def test_a_field_that_another_process_has_just_defined_is_written(api, server):
    """What this process knows of the definitions is a moment old; nothing is dropped for that."""
    url = running_url(server.log.parent / "data")
    known = {"externalCustomerId": "just", "fields": [{"id": 1, "value": ""}]}
    api.post("/api/v1/contact", json=known).raise_for_status()
    with psycopg.connect(url, autocommit=True) as connection:
        ((field_id,),) = connection.execute(
            "insert into field_definition (account_id, list_key, list_name, key, name, type)"
            " select min(account_id), 'T', 'T', 'JUST', 'Just', 'TEXTFIELD' from account"
            " returning field_id"
        ).fetchall()
    said = {"externalCustomerId": "just", "fields": [{"id": field_id, "value": "now"}]}
    contact_id = api.post("/api/v1/contact", json=said).json()["id"]
    fields = api.get(f"/api/v1/contact/{contact_id}").json()["fields"]
    api.delete(f"{PATH}/{field_id}").raise_for_status()
    assert fields == [{"id": field_id, "value": "now"}]
