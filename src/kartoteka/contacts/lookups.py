"""What each command names, so that a whole batch is read at once."""

from __future__ import annotations

from collections.abc import Sequence

from kartoteka.contacts.bulk import names_of
from kartoteka.contacts.model import (
    ActivateToken,
    AddAppToken,
    AddContact,
    AttachContacts,
    Command,
    DetachContacts,
    EmptyList,
    ImportRow,
    MergeContacts,
    MuteToken,
    NotTheSame,
    RefuseAddresses,
    ReleaseValue,
    RemoveContact,
    SetSubscriptions,
    UndoMerge,
    UpdateContact,
)
from kartoteka.contacts.tokens import TOKEN_KINDS
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID
from kartoteka.identity.model import Identifier, Key
from kartoteka.identity.rules import Person

Named = tuple[Sequence[Key], Sequence[int]]


def named_by(command: Command) -> Named:  # noqa: PLR0912  one case a command
    """(identifier keys, contact ids) that the command speaks of."""
    match command:
        case AddContact():  # the most by far
            return keys_of(command.contact.person), ()
        case ImportRow():
            return names_of(command)
        case AddAppToken():
            token = Identifier(command.kind, command.item.token)
            ids = () if command.item.contact_id is None else (command.item.contact_id,)
            return [*keys_of(command.item.contact.person), token.key], ids
        case ActivateToken() | MuteToken():
            return [Identifier(kind, command.token).key for kind in TOKEN_KINDS], ()
        case RemoveContact():
            if command.external_id is not None:
                return [Identifier(EXTERNAL_ID.code, command.external_id).key], ()
            return (), (command.contact_id or 0,)
        case SetSubscriptions():
            return (), (command.contact_id,)
        case RefuseAddresses():
            return [Identifier(EMAIL.code, email).key for email in command.emails], ()
        case AttachContacts() | DetachContacts():
            external_ids = [Identifier(EXTERNAL_ID.code, one) for one in command.external_ids]
            return [one.key for one in external_ids], command.contact_ids
        case EmptyList() | UndoMerge():
            return (), ()
        case ReleaseValue():
            ids = () if command.contact_id is None else (command.contact_id,)
            return [Identifier(command.kind, command.value).key], ids
        case MergeContacts() | NotTheSame():
            return (), command.both
        case UpdateContact():
            return keys_of(command.contact.person), (command.contact_id,)
        case _:
            return keys_of(command.contact.person), ()  # type: ignore[attr-defined]


def keys_of(person: Person) -> list[Key]:
    """What the identifiers of a request are looked up by."""
    return [one.key for one in person.all()]
