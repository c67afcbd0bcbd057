"""Which encoding a text is in, by what its bytes can be.

UTF-8 proves itself: letters of another encoding are not valid in it. Of the Cyrillic ones the wrong
one turns the case of letters around (windows-1251 read as KOI8 makes «оКЕМЮ» of «Олена») or puts
signs inside words, so a handful of words is enough. The rest is asked of charset-normalizer, which
is shown nothing but words with letters beyond ASCII: from a file of e-mail addresses with few names
it would guess by the addresses.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from kartoteka.imports.files.model import FileUnreadable

ENCODINGS = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "us-ascii"),
    *("windows-1251", "koi8-u", "koi8-r", "cp866", "cp1125", "mac-cyrillic", "iso-8859-5"),
    *("windows-1250", "windows-1252", "windows-1253", "windows-1254", "windows-1255"),
    *("windows-1256", "windows-1257", "windows-1258", "iso-8859-1", "iso-8859-2", "iso-8859-7"),
    *("iso-8859-9", "iso-8859-15", "iso-8859-16", "cp437", "cp850", "cp852", "macintosh"),
    *("gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"),
)
"""What a file may be in. Python knows each under this name."""

_NAMES = {codecs.lookup(name).name: name for name in ENCODINGS}
_CYRILLIC = ("windows-1251", "koi8-u", "cp866", "cp1125", "mac-cyrillic", "iso-8859-5")
"""The earlier is preferred among those that read equally well."""
_OTHERS = ("cp1252", "cp1250", "cp1254", "cp1253", "cp1255", "cp1256", "cp1257", "iso8859_2")
_LETTERS = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўђјљњћџѓќѕ")
_COMMON = frozenset("оаеиінтрвслк")
"""Three letters in four of Ukrainian and Russian names and words."""
_SIGNS = "’ʼ'«»„“”–—…№\xa0"
"""Signs of Cyrillic texts that are no letters."""
_READS_WELL, _READS_WELL_ENOUGH, _READS = 0.85, 0.6, 0.4
"""Cyrillic names come to about 1 on average, single ones down to 0.6. Hebrew in capitals of KOI8 has
0.8, Greek 0.5."""
_MANY_WORDS = 8
_CONTROLS = 4
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20
_HEAD = 1 << 16
_WORD = re.compile(rb"[A-Za-z']*[\x80-\xff][A-Za-z'\x80-\xff]*")
_WORDS, _WORDS_A_CHUNK = 4_000, 400


def encoding_named(name: str) -> str:
    """The encoding of that name or alias, as in `ENCODINGS`. Raises `FileUnreadable`."""
    try:
        return _NAMES[codecs.lookup(name.strip()).name]
    except (LookupError, ValueError):
        known = ", ".join(ENCODINGS)
        raise FileUnreadable(f"The encoding is not known; these are: {known}.") from None


def detect_encoding(path: Path) -> str:
    """The encoding of a text file, out of `ENCODINGS`. Raises `FileUnreadable` if it is no text."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        for bom, name in _BOMS:
            if head.startswith(bom):
                return name
        if (wide := _without_bom(head)) is not None:
            return wide
        _check_text(head)
        file.seek(0)
        if _is_utf8(file):
            return "utf-8"
        file.seek(0)
        return _one_byte(list(_words(file)))


def check_encoding(path: Path, encoding: str) -> None:
    """Raises `FileUnreadable` naming the first line that is not text in that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    feeds, returns = 0, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                text = error.object[: error.start].decode(encoding, "ignore")
                line = (feeds + text.count("\n") or returns + text.count("\r")) + 1
                raise FileUnreadable(
                    f"Line {line} is not text in the encoding {encoding}: "
                    "choose another encoding, or none to have it found."
                ) from None
            if not chunk:
                return
            feeds += text.count("\n")
            returns += text.count("\r")


def _without_bom(head: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of commas, digits and line ends is zero.

    A line end without a zero beside it is of another text, in which somebody left a few zeros.
    """
    if b"\n" in head and b"\0\n" not in head and b"\n\0" not in head:
        return None
    pairs = len(head) // 2
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if odd * 20 > pairs and even * 10 < odd:
        return "utf-16-le"
    if even * 20 > pairs and odd * 10 < even:
        return "utf-16-be"
    return None


def _check_text(head: bytes) -> None:
    """A text has next to no control characters, or a handful; a picture or an archive has many."""
    controls = sum(head.count(code) for code in range(32) if code not in b"\t\n\v\f\r\x1a")
    if controls > _CONTROLS and controls * 50 > len(head):
        raise FileUnreadable(
            "The file is neither a spreadsheet nor a text: save the table as .xlsx or CSV."
        )


def _is_utf8(file: BinaryIO) -> bool:
    """True also of UTF-8 with a few broken letters, which are then read as U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    while True:
        chunk = file.read(_CHUNK)
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            bad += max(text.count("\ufffd") - chunk.count(b"\xef\xbf\xbd"), 0)
            good += len(chunk) - len(text)
        if not chunk or bad * 20 > good + 20_000:
            return bad * 20 <= good


def _words(file: BinaryIO) -> Iterator[bytes]:
    """Different words with letters beyond ASCII, a few of each part of the file."""
    seen: set[bytes] = set()
    while len(seen) < _WORDS and (chunk := file.read(_CHUNK)):
        if chunk.isascii():
            continue
        fresh = 0
        for found in _WORD.finditer(chunk):
            word = found[0]
            if word not in seen:
                seen.add(word)
                yield word
                if (fresh := fresh + 1) == _WORDS_A_CHUNK:
                    break


def _one_byte(words: Sequence[bytes]) -> str:
    quality = {name: _reads_as(words, name) for name in _CYRILLIC}
    cyrillic = max(quality, key=quality.__getitem__)
    wanted = _READS_WELL if len(words) >= _MANY_WORDS else _READS_WELL_ENOUGH
    if quality[cyrillic] >= wanted:
        return cyrillic
    other = _guess(words)
    if other is not None:
        return other
    return cyrillic if quality[cyrillic] >= _READS else "windows-1252"


def _reads_as(words: Sequence[bytes], encoding: str) -> float:
    """How well they read as Cyrillic in that encoding: 0 not at all, 1 and more very well."""
    texts = [word.decode(encoding, "replace").strip(_SIGNS) for word in words]
    marks = [_mark(text) for text in texts if text]
    return sum(marks) / max(len(marks), 1)


def _mark(word: str) -> float:
    bare = word.replace("'", "").replace("’", "").replace("ʼ", "")
    lower = bare.lower()
    if not bare or not _LETTERS.issuperset(lower):
        return 0
    if not (bare[1:].islower() or bare.isupper() or len(bare) == 1):
        return 0
    return 0.3 + sum(letter in _COMMON for letter in lower) / len(lower)


def _guess(words: Sequence[bytes]) -> str | None:
    # Late: the library takes a while to import, and most files are UTF-8.
    from charset_normalizer import from_bytes

    text = b"\n".join(words)
    matches = list(from_bytes(text * (1 + 200 // len(text)), cp_isolation=list(_OTHERS)))
    if not matches:
        return None
    best = matches[0]
    # Texts that read equally well in several are Western European more often than not.
    equal = {
        name
        for match in matches
        if (match.chaos, match.coherence) == (best.chaos, best.coherence)
        for name in match.could_be_from_charset
    }
    return _NAMES[codecs.lookup("cp1252" if "cp1252" in equal else best.encoding).name]
