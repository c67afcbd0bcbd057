"""What a new import is made of, as the parameters of its row."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.model import Repeat, RowRules
from kartoteka.identity.model import Origin
from kartoteka.imports.model import FileInfo, Source


class NewImport(msgspec.Struct, frozen=True):
    """What a new import is made of."""

    account_id: int
    source: Source
    rules: RowRules
    origin: Origin
    repeat: Repeat | None = None
    file: FileInfo | None = None
    options: dict[str, Any] = {}
    dry_run: bool = False
    total: int | None = None

    def params(self, at: datetime) -> dict[str, Any]:
        return {
            "account_id": self.account_id,
            "session_id": secrets.token_hex(12),
            "source": self.source,
            "rules": json_of(self.rules),
            "options": json_of(self.options),
            "dry_run": self.dry_run,
            "file": None if self.file is None else json_of(self.file),
            "digest": self._digest(),
            "key_id": self.origin.key_id,
            "request_id": self.origin.request_id,
            "method": self.origin.method,
            "total": self.total,
            "at": at,
        }

    def _digest(self) -> str | None:
        """What the same file with the same options has in common."""
        if self.file is None:
            return None
        said = msgspec.json.encode([self.rules, self.options], order="sorted")
        return hashlib.sha256(self.file.digest.encode() + said).hexdigest()


def json_of(value: Any) -> str:
    """The value as a jsonb parameter."""
    return msgspec.json.encode(value).decode()
