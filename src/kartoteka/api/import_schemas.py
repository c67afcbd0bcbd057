"""Schemas of imports: bulk calls, files and their statements, as OpenAPI shows them."""

from __future__ import annotations

from kartoteka.api.routing import Parameter, Schema
from kartoteka.api.schemas import COMPONENTS, CONTACT_ID, ref
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.imports.model import OUTCOMES, Source, State

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_ID: Schema = {"type": "integer", "minimum": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time"}
_FLAG: Schema = {"type": "boolean"}
_NOTICE: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": _TEXT, "message": _TEXT, "field": {"type": ["string", "null"]}},
}

SESSION_ID = Parameter(
    "sessionId",
    "The `asyncSessionId` of POST contacts, the `importId` of POST contacts/upload, or the "
    "`sessionId` of an import.",
    place="path",
    required=True,
)
IMPORT_ID = Parameter("id", "The import's id.", CONTACT_ID, place="path", required=True)
OUTCOME = Parameter("outcome", "Only rows of this outcome.", {"enum": list(OUTCOMES)})
FORMAT = Parameter(
    "format",
    "`csv` downloads all rows, whatever page is asked for; so does `Accept: text/csv`.",
    {"enum": ["json", "csv"], "default": "json"},
)


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


_SAME_AS: Schema = _object("id", id=_ID, finishedAt=_TIME)
_SAME_AS["description"] = (
    "An earlier import of the same file with the same options; without finishedAt it is not over."
)

_IMPORT: Schema = _object(
    "id sessionId state source dryRun unique done counts createdAt",
    id=_ID,
    sessionId=_TEXT,
    state={"enum": [one.value for one in State]},
    source={"enum": [one.value for one in Source]},
    dryRun=_FLAG,
    unique={"enum": list(UNIQUES)},
    fieldId={**_ID, "description": "The custom field, where `unique` is `fieldId`."},
    file=_object("name size", name=_TEXT, size=_COUNT),
    locked={**_FLAG, "description": "A column is the External ID, so it is the unique field."},
    encoding=_TEXT,
    delimiter=_TEXT,
    mapping=_list(ref("ImportColumn")),
    total={**_COUNT, "description": "Absent while the rows of a file are not counted yet."},
    done=_COUNT,
    percent={"type": "number", "minimum": 0, "maximum": 100},
    counts={
        "type": "object",
        "description": "Rows by outcome.",
        "required": list(OUTCOMES),
        "properties": {name: {**_COUNT, "description": text} for name, text in OUTCOMES.items()},
    },
    rate={"type": "number", "description": "Rows a second, lately; of all when it is over."},
    secondsLeft=_COUNT,
    createdAt=_TIME,
    startedAt=_TIME,
    finishedAt=_TIME,
    error={**_TEXT, "description": "Why it cannot go on; resuming tries again."},
    sameAs=_SAME_AS,
)
_IMPORT["description"] = "What is unset is left out."

_ROW: Schema = _object(
    "row outcome",
    row={**_ID, "description": "From 1; the header of a file is not counted."},
    outcome={"enum": list(OUTCOMES)},
    contactId=CONTACT_ID,
    value={**_TEXT, "description": "The row's unique value."},
    mergedWith=_list(CONTACT_ID),
    code=_TEXT,
    reason=_TEXT,
    field=_TEXT,
    warnings=_list(_NOTICE),
)

_BULK: Schema = {
    "type": "object",
    "required": ["contacts", "dedupeOn"],
    "properties": {
        "contacts": {
            "description": "1 to 3,000 contacts, or one alone.",
            "examples": [[{"channels": [{"type": "email", "value": "anna@example.com"}]}]],
        },
        "dedupeOn": {
            "description": "By which field contacts are found when the External ID finds none.",
            "examples": list(UNIQUES),
        },
        "fieldId": {"description": "The custom field, with `dedupeOn: fieldId`.", "examples": [12]},
        "contactFields": {
            "description": "Only these are written; one without data is cleared.",
            "examples": [["firstName", "sms"]],
        },
        "customFieldsIDs": {
            "description": "Only these custom fields are written.",
            "examples": [[12]],
        },
        "groupNames": {"description": "Lists to join; made if missing.", "examples": [["News"]]},
        "groupNamesExclude": {"description": "Lists to leave.", "examples": [["Trial"]]},
        "restoreDeleted": {"description": "Restore removed contacts.", "examples": [False]},
        "eventKeyForNewContacts": {
            "description": "An event for every new contact.",
            "examples": ["welcome"],
        },
    },
}

_FAILED: Schema = {
    **_object("error code", error=_TEXT, code=_TEXT),
    "description": "The contact as it was sent, with what is wrong.",
}

_BULK_ANSWER: Schema = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"const": 0},
        "asyncSessionId": {**_TEXT, "description": "For GET importstatus/{sessionId}."},
        "failedContacts": {
            "description": "Left out when there are none; one is an object, several a list.",
            "oneOf": [ref("FailedContact"), {**_list(ref("FailedContact")), "minItems": 2}],
        },
        "notices": {**_list(_NOTICE), "description": "What was ignored, with `explain`."},
        "dryRun": {"const": True},
        "resolutions": _list(ref("Resolution")),
    },
    "anyOf": [{"required": ["asyncSessionId"]}, {"required": ["dryRun", "resolutions"]}],
}

_STATUS: Schema = _object(
    "status timestamp mapping",
    status={"enum": ["STARTED", "IMPORTING", "FINISHED", "ERROR"]},
    timestamp=_TIME,
    description={**_TEXT, "description": "Why it stands still or failed."},
    mapping=_list(_object("dedupeValue contactId", dedupeValue=_TEXT, contactId=CONTACT_ID)),
)

_LINK: Schema = {
    "type": "object",
    "required": ["dedupeOn", "link"],
    "properties": {
        "dedupeOn": {"description": "email, sms, email_or_sms or id.", "examples": ["email"]},
        "link": {
            "description": "An http or https address of a CSV file, at most 100 MB.",
            "examples": ["https://shop.example/contacts.csv"],
        },
        **{
            name: _BULK["properties"][name]
            for name in ("groupNames", "groupNamesExclude", "restoreDeleted")
        },
        "eventKeyForNewContacts": _BULK["properties"]["eventKeyForNewContacts"],
    },
}

_OPTIONS: Schema = {
    "type": "object",
    "description": "How the file is read; everything is optional.",
    "properties": {
        "unique": {
            "description": "By which field contacts are found: a word of `dedupeOn`, or a custom "
            "field's LIST.FIELD. Not given: the best one that has a column. A column mapped to "
            "External ID makes that the unique field.",
            "examples": ["email"],
        },
        "fieldId": {"description": "The custom field, with `unique: fieldId`.", "examples": [12]},
        "map": {
            "description": "{column: field}, a column by heading, letter or number; or a list of "
            "fields in the order of columns. Null or `ignore` leaves a column out; columns that it "
            "does not name are recognised by their headings.",
            "examples": [{"E-mail": "email", "C": "firstName"}],
        },
        "guess": {"description": "false: only what `map` names.", "examples": [True]},
        "header": {"description": "false: the first line is a row.", "examples": [True]},
        "ignoreFirstLine": {"description": "The same as `header`.", "examples": [True]},
        "emptyValues": {
            "description": "true or `overwrite`: blank cells empty the field of known contacts.",
            "examples": [False],
        },
        "restoreDeleted": _BULK["properties"]["restoreDeleted"],
        "groupNames": _BULK["properties"]["groupNames"],
        "groupNamesExclude": _BULK["properties"]["groupNamesExclude"],
        "eventKeyForNewContacts": _BULK["properties"]["eventKeyForNewContacts"],
        "updateExternalId": {
            "description": "Rows found by another unique field may replace a contact's External ID.",
            "examples": [False],
        },
        "dryRun": {
            "description": "The same statement, but nothing is written.",
            "examples": [False],
        },
        "encoding": {"description": "Detected if not given.", "examples": ["windows-1251"]},
        "delimiter": {"description": "Detected if not given.", "examples": [";", "tab"]},
    },
}

_STARTED: Schema = {
    **_IMPORT,
    "required": [*_IMPORT["required"], "mapping", "notices"],
    "properties": {**_IMPORT["properties"], "notices": _list(_NOTICE)},
}

_LOOK: Schema = _object(
    "upload file format header columns rows counts notices fields",
    upload={**_TEXT, "description": "The token under which the file waits 24 hours."},
    file=_object("name size", name=_TEXT, size=_COUNT),
    format={"enum": ["csv", "xlsx", "xls"]},
    encoding=_TEXT,
    delimiter=_TEXT,
    sheet=_TEXT,
    unique=_object(
        "name label fieldId locked",
        name={"enum": list(UNIQUES)},
        label=_TEXT,
        fieldId={"type": ["integer", "null"]},
        locked=_FLAG,
    ),
    header=_FLAG,
    columns=_list(
        _object(
            "letter heading samples field label guessed unique",
            letter=_TEXT,
            heading=_MAYBE,
            samples=_list(_TEXT),
            field={**_MAYBE, "description": "null: left out."},
            label=_MAYBE,
            guessed=_FLAG,
            unique=_FLAG,
        )
    ),
    rows=_list(
        _object(
            "row verdict cells",
            row=_ID,
            verdict={"enum": ["ok", "warning", "error"]},
            cells=_list(_TEXT),
            marks=_list(
                _object(
                    "column level code message",
                    column={**_COUNT, "description": "From 0."},
                    level={
                        "enum": ["warning", "error"],
                        "description": "error (red): the row is not saved; warning (orange): the "
                        "value is not.",
                    },
                    code=_TEXT,
                    message=_TEXT,
                )
            ),
            code=_TEXT,
            reason=_TEXT,
            field=_TEXT,
            warnings=_list(_NOTICE),
        )
    ),
    counts={"type": "object", "description": "Rows by verdict, of those shown."},
    notices=_list(_NOTICE),
    fields=_list(
        {"type": "object", "description": "What a column may be mapped to."},
    ),
    problem={
        **_object("code message member", code=_TEXT, message=_TEXT, member=_TEXT),
        "description": "Why the file cannot be imported with these options; no rows are shown then.",
    },
)

COMPONENTS.update(
    ImportOptions=_OPTIONS,
    StartedImport=_STARTED,
    ImportPreview=_LOOK,
    Import=_IMPORT,
    ImportColumn=_object(
        "column field guessed",
        column={**_TEXT, "description": "Its letter, as spreadsheets have it."},
        heading=_TEXT,
        field={
            "type": ["string", "null"],
            "description": "What it is mapped to; null: left out. A custom field is `fields.12`.",
        },
        guessed={**_FLAG, "description": "Recognised by its heading."},
    ),
    ImportRow=_ROW,
    BulkContacts=_BULK,
    BulkAnswer=_BULK_ANSWER,
    FailedContact=_FAILED,
    ImportStatus=_STATUS,
    LinkImport=_LINK,
    LinkAnswer=_object(
        "message importId fileId valid",
        message=_TEXT,
        importId={**_TEXT, "description": "For GET importstatus/{sessionId}."},
        fileId={**_ID, "description": "The import's id."},
        valid={"const": True},
    ),
)
