"""The statements of one version of a segment: its condition as SQL, put into a few fixed frames.

`%(now)s` is the moment that conditions on time look at; `%(at)s` what is written as the time.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from kartoteka.db.named import Query
from kartoteka.segments.conditions.base import ACTIVITY, Sql, Test
from kartoteka.segments.conditions.tree import read_stored
from kartoteka.segments.model import Kind, State

_MATCHES = "segment_match (account_id, version_id, contact_id, since)"
_ON_CONFLICT = "on conflict (account_id, version_id, contact_id)"


class Fragments(msgspec.Struct, frozen=True):
    """A condition as SQL on a contact `c`, and what goes into it."""

    holds: str
    next: str | None
    """When time may change the answer, null for never; None where no condition looks at the time."""
    params: dict[str, Any]


def fragments(test: Test) -> Fragments:
    """The condition as SQL."""
    sql = Sql()
    holds = test.to_sql(sql)
    moments = test.next_sql(sql) if test.is_timed else []
    return Fragments(holds, f"least({', '.join(moments)})" if moments else None, sql.params)


class Version(msgspec.Struct, frozen=True):
    """One version of a definition that writers keep exact."""

    account_id: int
    version_id: int
    segment_id: int
    state: State
    test: Test
    sql: Fragments

    @property
    def is_filling(self) -> bool:
        return self.state is State.FILLING

    @property
    def reads_activity(self) -> bool:
        return ACTIVITY in self.test.reads

    def params(self, **more: Any) -> dict[str, Any]:
        """The parameters of any statement of this version."""
        return {"account_id": self.account_id, **self.sql.params, **more}

    def settle(self) -> Query:
        """Bring these contacts (`ids`, those of `owners`) in or out; rows are who changed sides.

        While it is filled, who is out is marked, so that the filling does not overrule it.
        """
        ids = "%(ids)s::bigint[]"
        if self.reads_activity:  # whosever it is when all is written
            found = f"contacts_of({Sql.account}, %(owners)s::bigint[])"
            ids += f" || array(select o.contact_id from {found} o)"
        given = f"""given as materialized (
            select c.contact_id, (c.status = 0 and {self.sql.holds}) as holds{self._next()}
            from contact c
            where c.account_id = %(account_id)s::integer
              and c.contact_id = any({ids})
        )"""
        sides = [self._marked()] if self.is_filling else [self._gone(), self._come()]
        parts = [given, *sides, *self._armed("do update set at = excluded.at")]
        if self.sql.next is not None:
            parts.append(self._forgot())
        return _query("settle", f"with {', '.join(parts)}{self._told()}")

    def fill(self) -> Query:
        """Evaluate the next contacts after `after`; one row (last contact id, how many they were).

        What a writer said meanwhile about one of them stands (`do nothing`).
        """
        part = """part as materialized (
            select max(x.contact_id) as last, count(*) as seen
            from (
                select contact_id
                from contact
                where account_id = %(account_id)s::integer
                  and contact_id > %(after)s::bigint
                order by contact_id
                limit %(rows)s::integer
            ) x
        )"""
        step = f"""step as (
            update segment_version v
            set filled_to = p.last, seen = v.seen + p.seen
            from part p
            where v.account_id = %(account_id)s::integer
              and v.version_id = {self.version_id}
              and v.state = 'filling'
              and v.filled_to = %(after)s::bigint
              and p.last is not null
            returning v.version_id
        )"""
        given = f"""given as materialized (
            select c.contact_id, {self.sql.holds} as holds{self._next()}
            from contact c, part p, step s
            where c.account_id = %(account_id)s::integer
              and c.contact_id > %(after)s::bigint
              and c.contact_id <= p.last
              and c.status = 0
        )"""
        come = f"""come as (
            insert into {_MATCHES}
            select %(account_id)s::integer, {self.version_id}, contact_id, %(at)s::timestamptz
            from given
            where holds
            {_ON_CONFLICT} do nothing
        )"""
        parts = [part, step, given, come, *self._armed("do nothing")]
        sql = f"with {', '.join(parts)} select p.last, p.seen from part p, step s"
        return _query("fill", sql)

    def _next(self) -> str:
        if self.sql.next is None:
            return ""
        return f", case when c.status = 0 then {self.sql.next} end as next"

    def _marked(self) -> str:
        return f"""marked as (
            insert into {_MATCHES}
            select %(account_id)s::integer, {self.version_id}, contact_id,
                   case when holds then %(at)s::timestamptz else 'infinity' end
            from given
            {_ON_CONFLICT} do update
            set since = excluded.since
            where (segment_match.since = 'infinity') <> (excluded.since = 'infinity')
        )"""

    def _gone(self) -> str:
        return f"""gone as (
            delete from segment_match m
            using given g
            cross join lateral ({self._row_of("segment_match")}) l
            where m.account_id = %(account_id)s::integer
              and m.ctid = l.ctid
              and not g.holds
              and m.since < 'infinity'
            returning m.contact_id
        )"""

    def _come(self) -> str:
        return f"""come as (
            insert into {_MATCHES}
            select %(account_id)s::integer, {self.version_id}, contact_id, %(at)s::timestamptz
            from given
            where holds
            {_ON_CONFLICT} do update
            set since = excluded.since
            where segment_match.since = 'infinity'
            returning contact_id
        )"""

    def _armed(self, on_conflict: str) -> list[str]:
        """The next moments of time."""
        if self.sql.next is None:
            return []
        return [
            f"""armed as (
            insert into segment_moment (account_id, version_id, contact_id, at)
            select %(account_id)s::integer, {self.version_id}, contact_id, next
            from given
            where next is not null
            {_ON_CONFLICT} {on_conflict}
        )"""
        ]

    def _forgot(self) -> str:
        """Moments of contacts that time changes no more; one that stays only wakes us in vain."""
        return f"""forgot as (
            delete from segment_moment m
            using given g
            cross join lateral ({self._row_of("segment_moment")}) l
            where m.account_id = %(account_id)s::integer
              and m.ctid = l.ctid
              and g.next is null
        )"""

    def _row_of(self, table: str) -> str:
        """Where the row of contact `g` is: looked up by its key, in a young table too."""
        return f"""
                select ctid
                from {table}
                where account_id = %(account_id)s::integer
                  and version_id = {self.version_id}
                  and contact_id between g.contact_id and g.contact_id
                order by contact_id
                limit 1
            """

    def _told(self) -> str:
        """Who changed sides; of a version that serves that is told, and noted for exports."""
        if self.is_filling:
            return " select contact_id from given limit 0"
        flips = f""", flips as (
            select contact_id, {int(Kind.LEFT)} as kind from gone
            union all
            select contact_id, {int(Kind.ENTERED)} from come
        )"""
        if self.state is not State.SERVING:
            return f"{flips} select contact_id, kind from flips"
        return f"""{flips}, noted as (
            insert into change (account_id, at, contact_ids)
            select %(account_id)s::integer, %(at)s::timestamptz, array_agg(contact_id)
            from flips
            having count(*) > 0
        )
        insert into happening (account_id, at, kind, contact_id, segment_id)
        select %(account_id)s::integer, %(at)s::timestamptz, kind, contact_id, {self.segment_id}
        from flips
        returning contact_id"""


def _query(what: str, sql: str) -> Query:
    """Named after its text: statements are prepared, and remembered, by name."""
    digest = hashlib.blake2b(sql.encode(), digest_size=12).hexdigest()
    return Query(f"{what}_{digest}", sql, "")


def version_of(
    account_id: int, version_id: int, segment_id: int, state: str, resolved: dict[str, Any]
) -> Version:
    """A version out of its stored row."""
    test = read_stored(resolved)
    return Version(account_id, version_id, segment_id, State(state), test, fragments(test))
