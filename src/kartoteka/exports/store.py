"""Exports and their runs in the database: made, changed, asked to run, watched."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.clock import Clock
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database, Row
from kartoteka.db.failures import UniqueViolation
from kartoteka.db.named import load_queries
from kartoteka.exports.asked import (
    Asked,
    read_flag,
    read_interval,
    read_name,
    read_new,
    read_options,
    read_settings,
)
from kartoteka.exports.datasets import LATEST, read_datasets
from kartoteka.exports.errors import (
    ExportExists,
    ExportNotFound,
    InvalidExport,
    RunNotFound,
    SecretUnreadable,
)
from kartoteka.exports.model import OVER, Done, Export, ExportRun, Options, RunState, State
from kartoteka.exports.run import wanted_of
from kartoteka.exports.secrets import Safe
from kartoteka.exports.targets import BY_NAME as TARGETS
from kartoteka.exports.targets.base import Caution, Checked, Surroundings, Target

QUERIES = load_queries(__package__)
LOOK_EVERY_S = 0.2
_CHANGEABLE = ("name", "settings", "datasets", "options", "interval", "paused", "newColumns")


class Exports:
    """The exports of all accounts."""

    def __init__(
        self, database: Database, clock: Clock, safe: Safe, surroundings: Surroundings
    ) -> None:
        self._database = database
        self._clock = clock
        self._safe = safe
        self._surroundings = surroundings

    def surroundings(self, account_id: int) -> Surroundings:
        """What targets may use; each account has a folder of its own."""
        folder = self._surroundings.export_dir / str(account_id)
        return msgspec.structs.replace(self._surroundings, export_dir=folder)

    async def create(self, account_id: int, body: Mapping[str, Any]) -> Export:
        """A new export, due at once. Raises `InvalidExport`, `TargetRefused`, `ExportExists`."""
        asked = await asyncio.to_thread(read_new, body, self.surroundings(account_id))
        params = {
            "account_id": account_id,
            "uid": secrets.token_hex(8),
            "name": asked.name,
            "target": asked.kind.name,
            "options": _json(asked.options),
            "columns_version": LATEST,
            "interval_s": asked.interval_s,
            "state": State.PAUSED if asked.paused else State.ACTIVE,
            "at": self._clock.now(),
            **self._place(account_id, asked.checked, asked.datasets),
        }
        export_id = await self._save("insert_export", params)
        await self._database.execute(QUERIES["announce_run"])
        return await self.find(account_id, export_id)

    def _place(
        self, account_id: int, checked: Checked, datasets: tuple[str, ...]
    ) -> dict[str, Any]:
        return {
            "place": checked.place,
            "settings": _json(checked.shown),
            "secret": self._safe.close(account_id, checked.full),
            "datasets": list(datasets),
        }

    async def _save(self, query: str, params: dict[str, Any]) -> int:
        """Write an export unless another one has its name or its place; its id."""
        account_id, export_id = params["account_id"], params.get("export_id", 0)
        try:
            async with self._database.connection() as connection, connection.transaction():
                await connection.execute(QUERIES["lock_exports"].sql)
                cursor = await connection.execute(
                    QUERIES["places_in_use"].sql, {**params, "export_id": export_id}
                )
                if others := await cursor.fetchall():
                    raise _in_use(others, account_id)
                cursor = await connection.execute(QUERIES[query].sql, params)
                row = await cursor.fetchone() if cursor.description else None
        except UniqueViolation:
            raise ExportExists("There is an export of that name already.") from None
        return int(row[0]) if row else export_id

    async def change(self, account_id: int, export_id: int, body: Mapping[str, Any]) -> Export:
        """What a PATCH asks for. Raises what `create` raises, and `ExportNotFound`."""
        one = await self.find(account_id, export_id)
        if set(body) - set(_CHANGEABLE):
            raise InvalidExport(f"Only {', '.join(_CHANGEABLE)} of an export can be changed.")
        checked, anew = await self._checked(one, body)
        datasets = read_datasets(body["datasets"]) if "datasets" in body else one.datasets
        options = read_options(body["options"]) if "options" in body else one.options
        version = LATEST if read_flag(body, "newColumns") else one.columns_version
        state = one.state
        if "paused" in body:
            state = State.PAUSED if read_flag(body, "paused") else State.ACTIVE
        seconds = read_interval(body["interval"]) if "interval" in body else one.interval_s
        now = self._clock.now()
        params = {
            "account_id": account_id,
            "export_id": export_id,
            "name": read_name(body["name"]) if "name" in body else one.name,
            "options": _json(options),
            "columns_version": version,
            "interval_s": seconds,
            "state": state,
            "next_at": now,
            "failures": 0 if "settings" in body else one.failures,
            "anew": anew or options != one.options or version != one.columns_version,
            "at": now,
            **self._place(account_id, checked, datasets),
        }
        await self._save("change_export", params)
        await self._database.execute(QUERIES["announce_run"])
        return await self.find(account_id, export_id)

    async def _checked(self, one: Export, body: Mapping[str, Any]) -> tuple[Checked, bool]:
        """Settings of the body, else those there are; and whether they lead to another place."""
        kind = TARGETS[one.target]
        row = await self._database.fetch_one(
            "select place from export where account_id = %(account_id)s "
            "and export_id = %(export_id)s",
            account_id=one.account_id,
            export_id=one.export_id,
        )
        place = row[0] if row else ""
        if "settings" not in body:
            full = self._safe.open(one.account_id, one.secret)
            return Checked(full, one.settings, place), False
        settings = read_settings(body["settings"])
        checked = await asyncio.to_thread(kind.read, settings, self.surroundings(one.account_id))
        return checked, checked.place != place

    def given_settings(self, one: Export) -> dict[str, Any]:
        """Its settings as they were given, secrets among them; none where they cannot be decrypted."""
        try:
            full = self._safe.open(one.account_id, one.secret)
        except SecretUnreadable:
            return {}
        return TARGETS[one.target].given(full)

    async def delete(self, account_id: int, export_id: int) -> None:
        """Forget it and its history; what it wrote stays. Raises `ExportNotFound`."""
        key = {"account_id": account_id, "export_id": export_id}
        if not await self._database.execute(QUERIES["delete_export"], **key):
            raise ExportNotFound
        await self._database.execute(QUERIES["delete_runs"], **key)

    async def pause(self, account_id: int, export_id: int) -> Export:
        """It runs no more until it is resumed; a run under way stops, and loses nothing."""
        one = await self.change(account_id, export_id, {"paused": True})
        await self._database.execute(
            QUERIES["cancel_runs"],
            account_id=account_id,
            export_id=export_id,
            at=self._clock.now(),
        )
        return one

    async def resume(self, account_id: int, export_id: int) -> Export:
        """It goes on where it was, at once."""
        return await self.change(account_id, export_id, {"paused": False})

    async def find(self, account_id: int, export_id: int) -> Export:
        """The export. Raises `ExportNotFound`."""
        rows = await self._read(account_id, export_id, 0, 1)
        if not rows:
            raise ExportNotFound
        return rows[0]

    async def find_named(self, account_id: int, name: str) -> Export:
        """By its name, or its id as text. Raises `ExportNotFound`."""
        row = await self._database.fetch_one(
            QUERIES["find_by_name"], account_id=account_id, name=name
        )
        if row is not None:
            return await self.find(account_id, row[0])
        if name.isascii() and name.isdigit() and int(name) < 2**63:
            return await self.find(account_id, int(name))
        raise ExportNotFound(f"There is no export {name!r}; `kartoteka export list` shows them.")

    async def exports_of(self, account_id: int, skip: int, limit: int) -> tuple[list[Export], int]:
        """A page of exports by id, and how many there are."""
        ((total,),) = await self._database.fetch(QUERIES["count_exports"], account_id=account_id)
        return await self._read(account_id, None, skip, limit), total

    async def _read(
        self, account_id: int, export_id: int | None, skip: int, limit: int
    ) -> list[Export]:
        rows = await self._database.fetch(
            QUERIES["exports"],
            account_id=account_id,
            export_id=export_id,
            skip=skip,
            limit=limit,
        )
        return [_export(row) for row in rows]

    async def ask_for_run(
        self, account_id: int, export_id: int, *, by: str = "request", full: bool = False
    ) -> ExportRun:
        """A run that begins after this call, so that it has all that was there before it.

        The one that waits already, if one does. Raises `ExportNotFound`.
        """
        await self.find(account_id, export_id)
        key = {"account_id": account_id, "export_id": export_id}
        async with self._database.connection() as connection, connection.transaction():
            await connection.execute(QUERIES["lock_exports"].sql)
            cursor = await connection.execute(QUERIES["queued_run"].sql, key)
            row = await cursor.fetchone()
            if row is None:
                params = {**key, "by": by, "full": full, "at": self._clock.now()}
                cursor = await connection.execute(QUERIES["insert_run"].sql, params)
                row = await cursor.fetchone()
            elif full:
                await connection.execute(QUERIES["widen_run"].sql, {**key, "run_id": row[0]})
            await connection.execute(QUERIES["announce_run"].sql)
        assert row is not None
        return await self.find_run(account_id, export_id, row[0])

    async def wait(self, account_id: int, run: ExportRun, within_s: float) -> ExportRun:
        """The run when it is over, or as it is when the time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        pause = LOOK_EVERY_S
        while run.state not in OVER and loop.time() < until:
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, 2.0)
            run = await self.find_run(account_id, run.export_id, run.run_id)
        return run

    async def find_run(self, account_id: int, export_id: int, run_id: int) -> ExportRun:
        """One run. Raises `RunNotFound`."""
        rows = await self._runs(account_id, export_id, run_id, 0, 1)
        if not rows:
            raise RunNotFound
        return rows[0]

    async def runs(
        self, account_id: int, export_id: int, skip: int, limit: int
    ) -> tuple[list[ExportRun], int]:
        """A page of runs, the newest first, and how many there are. Raises `ExportNotFound`."""
        await self.find(account_id, export_id)
        ((total,),) = await self._database.fetch(
            QUERIES["count_runs"], account_id=account_id, export_id=export_id
        )
        return await self._runs(account_id, export_id, None, skip, limit), total

    async def last_run(self, account_id: int, export_id: int) -> ExportRun | None:
        """The newest run, None before the first."""
        rows = await self._runs(account_id, export_id, None, 0, 1)
        return rows[0] if rows else None

    async def last_runs(self, account_id: int, export_ids: list[int]) -> dict[int, ExportRun]:
        """The newest run of each of these exports that has one."""
        rows = await self._database.fetch(
            QUERIES["last_runs"], account_id=account_id, export_ids=pg_array(export_ids)
        )
        return {run.export_id: run for run in map(_run, rows)}

    async def _runs(
        self, account_id: int, export_id: int, run_id: int | None, skip: int, limit: int
    ) -> list[ExportRun]:
        rows = await self._database.fetch(
            QUERIES["runs"],
            account_id=account_id,
            export_id=export_id,
            run_id=run_id,
            skip=skip,
            limit=limit,
        )
        return [_run(row) for row in rows]

    async def validate(self, account_id: int, body: Mapping[str, Any]) -> list[Caution]:
        """Connect with these settings and look; the warnings. Raises `TargetFailed`."""
        body = {"name": "validate", **body}
        around = self.surroundings(account_id)
        asked = await asyncio.to_thread(read_new, body, around)
        return await asyncio.to_thread(_look, asked, around)

    async def validate_known(self, account_id: int, export_id: int) -> list[Caution]:
        """The same with the settings of an export."""
        one = await self.find(account_id, export_id)

        def look() -> list[Caution]:
            target = self.open_target(one)
            try:
                return target.check(wanted_of(one))
            finally:
                target.close()

        return await asyncio.to_thread(look)

    def open_target(self, one: Export) -> Target:
        """Connect to where it writes; not for the event loop. Raises `TargetFailed`."""
        full = self._safe.open(one.account_id, one.secret)
        return TARGETS[one.target].open(one.uid, full, self.surroundings(one.account_id))


def _look(asked: Asked, surroundings: Surroundings) -> list[Caution]:
    target = asked.kind.open("0" * 16, asked.checked.full, surroundings)
    try:
        return target.check([])
    finally:
        target.close()


def _in_use(others: list[Row], account_id: int) -> ExportExists:
    named = [str(row[2]) for row in others if row[0] == account_id]
    by = f"Export {named[0]!r}" if named else "An export of another account"
    return ExportExists(
        f"{by} writes some of these data sets to the same place; choose another schema, data set or "
        "folder."
    )


def _export(row: Row) -> Export:
    values = dict(zip(Export.__struct_fields__, row, strict=True))
    values["options"] = msgspec.convert(values["options"], Options)
    values["datasets"] = tuple(values["datasets"])
    values["state"] = State(values["state"])
    values["secret"] = bytes(values["secret"])
    return Export(**values)


def _run(row: Row) -> ExportRun:
    values = dict(zip(ExportRun.__struct_fields__, row, strict=True))
    values["state"] = RunState(values["state"])
    values["datasets"] = msgspec.convert(values["datasets"], dict[str, Done])
    return ExportRun(**values)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
