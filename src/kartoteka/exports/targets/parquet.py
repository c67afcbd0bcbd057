"""Rows as PostgreSQL sends them into Parquet: typed by the data set's columns, a piece at a time."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

from kartoteka.exports.datasets import Column, Type
from kartoteka.exports.errors import TargetChanged, TargetMissingExtra
from kartoteka.exports.model import Done

_BLOCK_BYTES = 8_000_000


def need_pyarrow() -> Any:
    """The library. Raises `TargetMissingExtra`."""
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        raise TargetMissingExtra(
            "Parquet needs a package more: pip install 'kartoteka[parquet]'."
        ) from None
    return pa


def schema_of(columns: tuple[Column, ...]) -> Any:
    """The columns as Arrow has them."""
    pa = need_pyarrow()
    types = {
        Type.BIGINT: pa.int64(),
        Type.INTEGER: pa.int64(),
        Type.NUMERIC: pa.decimal128(38, 9),
        Type.TEXT: pa.string(),
        Type.JSON: pa.string(),
        Type.BOOLEAN: pa.bool_(),
        Type.TIME: pa.timestamp("us", "UTC"),
    }
    return pa.schema([(one.name, types[one.type]) for one in columns])


def write_parquet(
    file: Any,
    columns: tuple[Column, ...],
    blocks: Iterator[bytes],
    done: Done,
    check: Callable[[], None],
) -> int:
    """Write the rows into that binary file; how many. `blocks` is CSV with `\\N` for null."""
    pa = need_pyarrow()
    schema = schema_of(columns)
    count = 0
    with pa.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(pa, schema, blocks):
            check()
            writer.write_batch(batch)
            count += batch.num_rows
            done.rows += batch.num_rows
    return count


def _batches(pa: Any, schema: Any, blocks: Iterator[bytes]) -> Iterator[Any]:
    first = next(blocks, None)
    if first is None:
        return
    try:
        yield from pa.csv.open_csv(
            _Stream(first, blocks),
            read_options=pa.csv.ReadOptions(
                column_names=schema.names, block_size=_BLOCK_BYTES, use_threads=False
            ),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                column_types=schema,
                null_values=["\\N"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        raise TargetChanged(
            "A value does not fit the type of its column: a number with more than 29 digits, or a time "
            "before the year 1 or after 9999."
        ) from error


class _Stream(io.RawIOBase):
    """Blocks as a file that is read once."""

    def __init__(self, first: bytes, more: Iterator[bytes]) -> None:
        self._left = first
        self._more = more

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = next(self._more, b"")
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
