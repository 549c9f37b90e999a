"""The structured creditor reference of an invoice (ISO 11649): what a payer's bank carries through unchanged.

`RF`, two check digits (ISO 7064, mod 97-10), and up to 21 letters and digits that follow from the invoice's number
alone. The database has the same function, `rf_reference(number)`, for the stored column and its index.
"""

from __future__ import annotations

import re
from hashlib import md5

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

CHARACTERS_MAX = 21

_NOT_CARRIED = re.compile(r"[^A-Z0-9]", re.ASCII)
_IN_TEXT = re.compile(r"(?<![A-Z0-9])(?=(RF[0-9]{2}(?:[ .\-]{0,2}[A-Z0-9]){1,21}))", re.ASCII)
"""Every place where one may begin; it looks ahead, since blocks run on into the words after them."""


def payment_reference(number: str) -> str:
    """The RF reference of the invoice with this number, `DW-000042` -> `RF10DW000042`, without blanks.

    Letters are upper case and separators are dropped, since banks carry neither. A number that is longer than 21
    characters is stood for by `H` and 20 hexadecimal digits of its MD5 digest (a name, no secret). Numbers that differ
    in case or separators only share a reference; matching then goes by amount, or asks.
    """
    carried = _NOT_CARRIED.sub("", number.upper())
    if not 0 < len(carried) <= CHARACTERS_MAX:
        carried = "H" + md5(number.encode(), usedforsecurity=False).hexdigest()[:20].upper()
    return f"RF{mod_97_10.calc_check_digits(carried + 'RF')}{carried}"


def printed(reference: str) -> str:
    """In blocks of four, as it is printed for people to copy: `RF10 DW00 0042`."""
    return iso11649.format(reference)


def references_in(text: str | None) -> list[str]:
    """Valid RF references in a remittance text, also written in blocks or with small letters; the longest reading of
    each place whose check digits are right."""
    found: dict[str, None] = {}
    upper = (text or "").upper()
    for match in _IN_TEXT.finditer(upper):
        if reading := _longest_valid(match[1]):
            found[reading] = None
    return list(found)


def _longest_valid(written: str) -> str | None:
    compact = _NOT_CARRIED.sub("", written)
    # What ends at a blank is likelier than what does not.
    ends = [len(_NOT_CARRIED.sub("", written[: gap.start()])) for gap in re.finditer(r"[^A-Z0-9]+", written)]
    for end in (len(compact), *reversed(ends)):
        if iso11649.is_valid(compact[:end]):
            return compact[:end]
    return None
