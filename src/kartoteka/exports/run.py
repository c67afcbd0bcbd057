"""One run of one export, in a thread: reads a snapshot and brings the target up to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from kartoteka.exports.datasets import BY_NAME
from kartoteka.exports.model import Done, Export
from kartoteka.exports.reading import Reading
from kartoteka.exports.targets.base import Target, Wanted, Work, digest
from kartoteka.log import logger


class Keeping(msgspec.Struct, frozen=True):
    """How a run tells how far it got; called in its thread, back when the database has it."""

    pending: Callable[[str, str], None]
    """(data set, mark): the target is about to be asked to commit this."""
    reached: Callable[[str, str], None]
    """(data set, mark): the target has it."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """What a run works with."""

    export: Export
    target: Target
    reading: Reading
    full: bool
    """Write everything anew, wherever the target is."""
    progress: dict[str, Done]
    check: Callable[[], None]
    """Raises `Stopped` when the run is to end."""
    keeping: Keeping

    def bring_up(self) -> None:
        """Bring every data set up to what `reading` sees. Raises `TargetFailed`, `Stopped`."""
        wanted = wanted_of(self.export)
        states = self.target.states(wanted)
        for one in sorted(wanted, key=lambda one: one.dataset.of_activity):
            self.check()
            name = one.dataset.name
            done = self.progress.setdefault(name, Done())
            since = None if self.full else self._reached(name, states[name])
            if one.dataset.scopes:
                self._changes(one, since, done)
            else:
                self._whole(one, since, done)
            done.done = True

    def _reached(self, name: str, there: str | None) -> str | None:
        """The mark that the target is at, when we can go on from it; None: fill it anew.

        A process that was killed between the target's commit and ours leaves `pending` there.
        """
        for known in (self.export.marks.get(name), self.export.pending.get(name)):
            if known is None or there != digest(known):
                continue
            if not BY_NAME[name].scopes or self.reading.is_readable(known):
                return known
            logger.info("export_reads_anew", export_id=self.export.export_id, dataset=name)
        return None

    def _whole(self, wanted: Wanted, since: str | None, done: Done) -> None:
        """A data set of few rows: written when they differ."""
        self.reading.read_since(None)
        mark = self.reading.digest(wanted.dataset, wanted.columns)
        if mark != since:
            self._write(wanted, None, mark, done)
        self.keeping.reached(wanted.dataset.name, mark)

    def _changes(self, wanted: Wanted, since: str | None, done: Done) -> None:
        """All of it, or what changed since that mark; nothing where nothing did."""
        mark = since
        if since is None or self.reading.has_changes(since):
            mark = self.reading.mark
            self.reading.read_since(since)
            if wanted.dataset.of_activity:
                self.reading.read_activity()
            self._write(wanted, since, mark, done)
        assert mark is not None
        self.keeping.reached(wanted.dataset.name, mark)

    def _write(self, wanted: Wanted, since: str | None, mark: str, done: Done) -> None:
        dataset = wanted.dataset
        done.full = since is None
        reading = self.reading
        self.target.write(
            Work(
                dataset=dataset,
                columns=wanted.columns,
                full=since is None,
                rows=partial(reading.rows, dataset, wanted.columns),
                everything=partial(reading.everything, dataset, wanted.columns),
                all_months=partial(reading.months, dataset),
                changed_months=reading.changed_months,
                changed_between=reading.changed_between,
                scopes=() if since is None else reading.scopes(dataset),
                before=None if since is None else digest(since),
                mark=mark,
                done=done,
                check=self.check,
                about_to_commit=partial(self.keeping.pending, dataset.name, mark),
            )
        )


def wanted_of(one: Export) -> list[Wanted]:
    """The data sets of an export with the columns of its version."""
    found = []
    for name in one.datasets:
        dataset = BY_NAME[name]
        columns = dataset.columns_of(one.columns_version, keep_removed=one.options.keep_removed)
        found.append(Wanted(dataset, columns))
    return found
