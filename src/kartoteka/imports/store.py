"""Imports in the database: begun, watched, paused, and the statement of every row."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from kartoteka.clock import Clock
from kartoteka.contacts.model import Command, ImportRow, Outcome, Repeat, RowRules
from kartoteka.db.database import Database, Row
from kartoteka.db.failures import RETRYABLE
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call, transaction
from kartoteka.errors import Conflict, NotFound
from kartoteka.identity.model import Notice, Origin, Resolution
from kartoteka.imports.files_of import drop_files
from kartoteka.imports.folder import made
from kartoteka.imports.model import (
    OUTCOME_CODES,
    OUTCOMES,
    FileInfo,
    Import,
    RowFailed,
    RowOutcome,
    Source,
    State,
)
from kartoteka.imports.new_import import NewImport
from kartoteka.imports.payload import payload_of
from kartoteka.intake.repeats import Repeats

QUERIES = load_queries(__package__)
RECENTLY = timedelta(seconds=10)
"""What the rate of an import is measured over."""
NO_UPLOAD = "No uploaded file waits under this token; it is kept for a day."
_SESSION = "asyncSessionId"
PAGE = 5_000
_NAMES = tuple(OUTCOMES)
_PAUSABLE = (State.QUEUED, State.RUNNING)
_RESUMABLE = (State.PAUSED, State.FAILED)
_CANCELLABLE = (State.QUEUED, State.RUNNING, State.PAUSED, State.FAILED)


class ImportNotFound(NotFound):
    """Import not found: the account has none with this id."""


class ImportIsOver(Conflict):
    """The import is in a state that does not allow this."""

    code = "import_is_over"


class Imports:
    """The imports of all accounts."""

    def __init__(self, database: Database, clock: Clock, folder: Path) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock

    @property
    def folder(self) -> Path:
        """The folder of files, made if need be. Raises `FolderUnusable`."""
        return made(self._folder)

    async def start_call(
        self,
        account_id: int,
        origin: Origin,
        rules: RowRules,
        rows: Sequence[ImportRow],
        failed: Sequence[RowFailed],
        *,
        repeat: Repeat | None = None,
    ) -> Import:
        """Take the rows of a bulk call; back when they cannot be lost any more.

        The same Idempotency-Key again gives the import that there is (decisions D22); raises
        `IdempotencyMismatch`.
        """
        body = payload_of(rows, failed)
        total = len(rows) + len(failed)
        new = NewImport(account_id, Source.CALL, rules, origin, repeat=repeat, total=total)
        return await self._start(new, lambda key: [_payload(account_id, key, body)])

    async def start_file(
        self,
        account_id: int,
        origin: Origin,
        source: Source,
        file: FileInfo,
        rules: RowRules,
        *,
        options: dict[str, Any],
        dry_run: bool = False,
        upload: str | None = None,
    ) -> Import:
        """Take a file that lies in the folder; `upload` is the token it waited under, if it did."""
        new = NewImport(
            account_id, source, rules, origin, file=file, options=options, dry_run=dry_run
        )
        return await self._start(new, lambda _: [], upload)

    async def _start(
        self, new: NewImport, waits_with: Callable[[int], list[Call]], upload: str | None = None
    ) -> Import:
        """One transaction; again when another call with the same Idempotency-Key was quicker."""
        while True:
            try:
                return await self.find_session(
                    new.account_id, await self._insert(new, waits_with, upload)
                )
            except RETRYABLE:
                continue

    async def _insert(
        self, new: NewImport, waits_with: Callable[[int], list[Call]], upload: str | None
    ) -> str:
        """The session id of the import, or of the one that the same request began before."""
        at = self._clock.now()
        said = Command(origin=msgspec.structs.replace(new.origin, at=at), repeat=new.repeat)
        repeats = Repeats(new.account_id, [said])
        params = new.params(at)
        async with transaction(self._database) as tx:
            if asked := repeats.calls():
                repeats.load(await tx.run(*asked))
                if earlier := repeats.earlier(said):
                    return str(earlier.answer[_SESSION])
            if upload is not None:
                taken = {"account_id": new.account_id, "token": upload}
                if not (await tx.run((QUERIES["take_upload"], taken)))[0]:
                    raise NotFound(NO_UPLOAD)
            (((import_id,),),) = await tx.run((QUERIES["insert_import"], params))
            repeats.remember(said, Outcome(Resolution(), answer={_SESSION: params["session_id"]}))
            await tx.commit(
                *waits_with(import_id), *repeats.changes(), (QUERIES["announce_import"], {})
            )
        return str(params["session_id"])

    async def find(self, account_id: int, import_id: int) -> Import:
        """The import with its progress. Raises `ImportNotFound`."""
        return await self._one(account_id, import_id, None)

    async def find_session(self, account_id: int, session_id: str) -> Import:
        """The import by what `asyncSessionId` was. Raises `ImportNotFound`."""
        return await self._one(account_id, None, session_id)

    async def _one(self, account_id: int, import_id: int | None, session_id: str | None) -> Import:
        rows = await self._read(account_id, import_id, session_id, 0, 1)
        if not rows:
            raise ImportNotFound
        return rows[0]

    async def imports_of(self, account_id: int, skip: int, limit: int) -> tuple[list[Import], int]:
        """A page of imports, the newest first, and how many there are."""
        ((total,),) = await self._database.fetch(QUERIES["count_imports"], account_id=account_id)
        return await self._read(account_id, None, None, skip, limit), total

    async def _read(
        self, account_id: int, import_id: int | None, session_id: str | None, skip: int, limit: int
    ) -> list[Import]:
        now = self._clock.now()
        rows = await self._database.fetch(
            QUERIES["imports"],
            account_id=account_id,
            import_id=import_id,
            session_id=session_id,
            recent=now - RECENTLY,
            skip=skip,
            limit=limit,
        )
        return [_import(row, now) for row in rows]

    async def rows(
        self, account_id: int, import_id: int, outcome: str | None, skip: int, limit: int
    ) -> tuple[list[RowOutcome], int]:
        """A page of the statement by row number, and how many lines it has of that outcome."""
        one = await self.find(account_id, import_id)
        total = sum(one.counts.values()) if outcome is None else one.counts.get(outcome, 0)
        return await self._page(
            account_id, import_id, outcome, after=0, skip=skip, limit=limit
        ), total

    async def all_rows(
        self, account_id: int, import_id: int, outcome: str | None = None
    ) -> AsyncIterator[list[RowOutcome]]:
        """The whole statement in pages, by row number."""
        after = 0
        while page := await self._page(
            account_id, import_id, outcome, after=after, skip=0, limit=PAGE
        ):
            yield page
            after = page[-1].row

    async def _page(
        self,
        account_id: int,
        import_id: int,
        outcome: str | None,
        *,
        after: int,
        skip: int,
        limit: int,
    ) -> list[RowOutcome]:
        code = None if outcome is None else OUTCOME_CODES[outcome]
        name = "import_rows" if code is None else f"import_rows_{'un' if code > 2 else ''}usual"
        rows = await self._database.fetch(
            QUERIES[name],
            account_id=account_id,
            import_id=import_id,
            outcome=code,
            after=after,
            skip=skip,
            limit=limit,
        )
        return [_row_outcome(row) for row in rows]

    async def mapping(self, account_id: int, import_id: int, limit: int) -> list[tuple[str, int]]:
        """(unique value, contact id) of the rows that came to a contact (wire 3.10)."""
        rows = await self._database.fetch(
            QUERIES["import_mapping"], account_id=account_id, import_id=import_id, limit=limit
        )
        return [(value or "", contact_id) for value, contact_id in rows]

    async def pause(self, account_id: int, import_id: int) -> Import:
        """Stop after the batch that is under way. Raises `ImportNotFound`, `ImportIsOver`."""
        return await self._set_state(account_id, import_id, State.PAUSED, _PAUSABLE)

    async def resume(self, account_id: int, import_id: int) -> Import:
        """Go on where it stopped, a failed one too. Raises `ImportNotFound`, `ImportIsOver`."""
        return await self._set_state(account_id, import_id, State.QUEUED, _RESUMABLE)

    async def cancel(self, account_id: int, import_id: int) -> Import:
        """Stop for good; what is written stays. Raises `ImportNotFound`, `ImportIsOver`."""
        one = await self._set_state(account_id, import_id, State.CANCELLED, _CANCELLABLE)
        await drop_files(one)
        return one

    async def _set_state(
        self, account_id: int, import_id: int, state: State, states: tuple[State, ...]
    ) -> Import:
        while not await self._database.execute(
            QUERIES["set_import_state"],
            account_id=account_id,
            import_id=import_id,
            state=state,
            states=list(states),
            at=self._clock.now(),
        ):
            one = await self.find(account_id, import_id)
            if one.state == state or (one.state, state) == (State.RUNNING, State.QUEUED):
                return one
            # Else somebody changed it back meanwhile.
            if one.state not in states:
                raise ImportIsOver(f"The import is {one.state}; that cannot be changed this way.")
        one = await self.find(account_id, import_id)
        await self._database.fetch(QUERIES["announce_import"])
        return one

    # Files that wait for their import.

    async def keep_upload(self, account_id: int, file: FileInfo) -> str:
        """A token under which the file waits for its import for a day."""
        token = secrets.token_urlsafe(18)
        await self._database.execute(
            QUERIES["insert_upload"],
            account_id=account_id,
            token=token,
            file=msgspec.json.encode(file).decode(),
            at=self._clock.now(),
        )
        return token

    async def find_upload(self, account_id: int, token: str) -> FileInfo:
        """The file that waits under this token. Raises `NotFound`."""
        row = await self._database.fetch_one(
            QUERIES["find_upload"], account_id=account_id, token=token
        )
        if row is None:
            raise NotFound(NO_UPLOAD)
        return msgspec.convert(row[0], FileInfo)


def _payload(account_id: int, import_id: int, body: bytes) -> Call:
    key = {"account_id": account_id, "import_id": import_id}
    return QUERIES["insert_payload"], {**key, "rows": body}


def counts_of(sums: Sequence[int]) -> dict[str, int]:
    """Rows by outcome, all outcomes named."""
    return dict(zip(_NAMES, [*sums, *[0] * (len(_NAMES) - len(sums))], strict=True))


def _import(row: Row, now: Any) -> Import:
    (account_id, import_id, session_id, source, state, rules, options, dry_run, file, *rest) = row
    same_as, total, counts, error, created, started, finished, changed, *rest = rest
    key_id, request_id, method, sums, recent = rest
    known = counts_of(sums or () if counts is None else [counts.get(name, 0) for name in _NAMES])
    done = sum(known.values())
    rate = None
    if counts is not None and started and finished and finished > started:
        rate = done / (finished - started).total_seconds()
    elif recent and started:
        rate = recent / max((now - max(started, now - RECENTLY)).total_seconds(), 0.1)
    return Import(
        account_id=account_id,
        import_id=import_id,
        session_id=session_id,
        source=Source(source),
        state=State(state),
        rules=msgspec.convert(rules, RowRules),
        options=options,
        dry_run=dry_run,
        file=None if file is None else msgspec.convert(file, FileInfo),
        same_as=same_as,
        total=total,
        done=done,
        counts=known,
        rate=rate,
        error=error,
        created_at=created,
        started_at=started,
        finished_at=finished,
        changed_at=changed,
        key_id=key_id,
        request_id=request_id,
        method=method,
    )


def _row_outcome(row: Row) -> RowOutcome:
    number, outcome, contact_id, value, notes = row
    said = notes or {}
    return RowOutcome(
        row=number,
        outcome=_NAMES[outcome],
        contact_id=contact_id,
        value=value,
        merged_with=said.get("mergedWith", []),
        code=said.get("code"),
        reason=said.get("reason"),
        field=said.get("field"),
        warnings=msgspec.convert(said.get("warnings", []), list[Notice]),
    )
