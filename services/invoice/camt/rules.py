"""camt.052, 053 and 054 (ISO 20022, versions 02 to 13) read into statements.

Elements are found by their local names, since versions differ in namespace and in few places only: a status is text or
`<Cd>`, a party stands in `<Pty>` or not, a detail's amount is `<Amt>` or `<AmtDtls><TxAmt>`. The parser resolves no
entity, loads nothing, and a file with a document type declaration is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeAlias

from lxml import etree

from services.invoice.bank_entries.rules import (
    TEXT_MAX,
    Booking,
    Direction,
    Entry,
    Kind,
    Statement,
    StatementRefused,
    amount,
    checked,
    iban,
    text,
)

_CONTAINERS = {"BkToCstmrStmt": "Stmt", "BkToCstmrAcctRpt": "Rpt", "BkToCstmrDbtCdtNtfctn": "Ntfctn"}
_DECLARES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_DIRECTIONS: dict[str | None, Direction] = {"CRDT": "credit", "DBIT": "debit"}

_RETURN_CODES = {"RRTN", "RPCR", "UPDD", "PRDD", "ARET", "RCDD", "DCRE", "UPCT"}
"""Sub-families of bank transaction codes (ISO 20022 external code sets) for money taken or given back."""
_CHARGE_CODES = {"CHRG", "FEES", "COMM", "COME", "COMI", "COMT", "CHAR"}

_Node: TypeAlias = etree._Element


def looks_like(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<"))


def read(body: bytes) -> tuple[str, list[Statement]]:
    """The message's name (`camt.053.001.08`) and its statements. Raises StatementRefused with the line."""
    root = _parsed(body)
    container = next((child for child in root if _name(child) in _CONTAINERS), root)
    part = _CONTAINERS.get(_name(container))
    if part is None:
        raise StatementRefused(
            f"<{_name(root)}> is no bank statement; camt.052, 053 and 054 are read", line=_line(root)
        )
    message = re.search(r"camt\.05[234]\.001\.\d\d", etree.QName(root).namespace or "")
    created = _date(container, "GrpHdr", "CreDtTm")
    statements = [_statement(each, created) for each in _all(container, part)]
    if not statements:
        raise StatementRefused(f"the file holds no <{part}>", line=_line(container))
    return (message[0] if message else part, statements)


def _parsed(body: bytes) -> _Node:
    if declared := _DECLARES.search(body):
        line = body.count(b"\n", 0, declared.start()) + 1
        raise StatementRefused("document types and entities are not read", line=line)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise StatementRefused(f"this is not well-formed XML: {error.msg}", line=error.lineno or 1) from None
    document = root.getroottree().docinfo
    if document.doctype or document.internalDTD is not None:
        raise StatementRefused("document types and entities are not read", line=1)
    return root


def _statement(node: _Node, created: date | None) -> Statement:
    account_node = _required(node, "Acct")
    account = iban(_text(account_node, "Id", "IBAN") or _text(account_node, "Id", "Othr", "Id"))
    if account is None:
        raise StatementRefused("the account has no number", line=_line(account_node))
    currency = _text(account_node, "Ccy") or next((each.get("Ccy") for each in _deep(node, "Amt")), None)
    opening, closing = _balances(node, currency)
    written = _date(node, "CreDtTm") or created
    bookings = tuple(
        booking for each in _all(node, "Ntry") if _is_booked(each) for booking in [_booking(each, currency, written)]
    )
    return checked(
        Statement(
            line=_line(node),
            account=account,
            currency=currency,
            reference=_text(node, "Id"),
            sequence=_text(node, "ElctrncSeqNb") or _text(node, "LglSeqNb"),
            opening_minor=opening,
            closing_minor=closing,
            bookings=bookings,
            first_on=_date(node, "FrToDt", "FrDtTm") or _date(node, "FrToDt", "FrDt"),
            last_on=_date(node, "FrToDt", "ToDtTm") or _date(node, "FrToDt", "ToDt"),
        )
    )


def _balances(node: _Node, currency: str | None) -> tuple[int | None, int | None]:
    """Opening and closing balance as booked; None where there is not exactly one of each in the account's currency,
    as on the pages of a long statement."""
    found: dict[str, list[int]] = {"open": [], "close": []}
    for balance in _all(node, "Bal"):
        code = _text(balance, "Tp", "CdOrPrtry", "Cd")
        side = "open" if code in ("OPBD", "PRCD") else "close" if code == "CLBD" else None
        written = _find(balance, "Amt")
        if side is None or written is None or written.get("Ccy") != currency or _text(balance, "Tp", "SubTp", "Cd"):
            continue
        minor = amount(written.text, currency or "", _line(written))
        found[side].append(minor if _text(balance, "CdtDbtInd") == "CRDT" else -minor)
    opening, closing = set(found["open"]), set(found["close"])
    return (opening.pop(), closing.pop()) if len(opening) == len(closing) == 1 else (None, None)


def _is_booked(entry: _Node) -> bool:
    """Pending and merely informative entries come again when they are booked."""
    return (_text(entry, "Sts", "Cd") or _text(entry, "Sts") or "BOOK") == "BOOK"


def _booking(node: _Node, account_currency: str | None, written: date | None) -> Booking:
    currency, minor = _amount(_required(node, "Amt"))
    if account_currency and currency != account_currency:
        raise StatementRefused(f"an entry in {currency} on an account in {account_currency}", line=_line(node))
    direction = _direction(node)
    value_on = _date(node, "ValDt", "Dt") or _date(node, "ValDt", "DtTm")
    booked_on = _date(node, "BookgDt", "Dt") or _date(node, "BookgDt", "DtTm") or value_on or written
    if booked_on is None:
        raise StatementRefused("the entry has neither a booking date nor a value date", line=_line(node))
    details = [each for part in _all(node, "NtryDtls") for each in _all(part, "TxDtls")]
    reversal = _text(node, "RvslInd") in ("true", "1")
    amounts = _split(node, details, currency, minor, direction)
    if amounts is None:
        entries = (_entry(node, details, minor, direction, reversal),)
    else:
        entries = tuple(
            _entry(node, [detail], part, direction, reversal) for detail, part in zip(details, amounts, strict=True)
        )
    reference = text(_text(node, "AcctSvcrRef"))
    if reference is None and len(details) == 1:
        reference = text(_text(details[0], "Refs", "AcctSvcrRef"))
    return Booking(
        line=_line(node),
        direction=direction,
        amount_minor=minor,
        currency=currency,
        booked_on=booked_on,
        value_on=value_on,
        reversal=reversal,
        bank_reference=reference,
        detailed=bool(details) and amounts is not None,
        entries=entries,
    )


def _split(node: _Node, details: Sequence[_Node], currency: str, minor: int, direction: Direction) -> list[int] | None:
    """What each detail is worth, when they account for the whole entry: the sums are equal, or differ by the charges
    that the bank took of the batch. Else None, and the entry stays whole: its sum is what was booked."""
    if len(details) <= 1:
        return [minor] * len(details) or None
    amounts: list[int] = []
    for detail in details:
        written = _find(detail, "AmtDtls", "TxAmt", "Amt")
        written = _find(detail, "Amt") if written is None else written
        if written is None or written.get("Ccy") != currency or _direction(detail, direction) != direction:
            return None
        amounts.append(_amount(written)[1])
    return amounts if sum(amounts) - minor in (0, _charges(node, currency)) else None


def _entry(booking: _Node, details: Sequence[_Node], minor: int, direction: Direction, reversal: bool) -> Entry:
    """One movement; several details that could not be told apart are joined in its text."""
    first = details[0] if len(details) == 1 else None
    own = booking if first is None else first
    remittances = [each for detail in details if (each := _find(detail, "RmtInf")) is not None]
    structured = [part for each in remittances for part in _all(each, "Strd")]
    references = [reference for part in structured if (reference := text(_text(part, "CdtrRefInf", "Ref")))]
    unstructured = [line.text for each in remittances for line in _all(each, "Ustrd")]
    documents = [_text(document, "Nb") for part in structured for document in _all(part, "RfrdDocInf")]
    notes = [note.text for part in structured for note in _all(part, "AddtlRmtInf")]
    returned = next((found for node in (own, booking) if (found := _find(node, "RtrInf")) is not None), None)
    kind = _kind(booking, first, direction, reversal, returned)
    # The roles stay those of the original payment when it is returned: the debtor is who had paid.
    role = "Dbtr" if kind in ("receipt", "return") else "Cdtr"
    payer_for = text(_party_name(first, "UltmtDbtr")) if kind == "receipt" else None
    return Entry(
        line=_line(own),
        kind=kind,
        amount_minor=minor,
        bank_reference=text(_text(first, "Refs", "AcctSvcrRef") or _text(booking, "AcctSvcrRef")),
        end_to_end_id=text(_text(first, "Refs", "EndToEndId")),
        creditor_reference=" ".join(references)[:TEXT_MAX] or None,
        remittance=_joined([*unstructured, *documents, *notes]),
        additional_info=_joined(
            [_text(booking, "AddtlNtryInf"), *(_text(each, "AddtlTxInf") for each in details), payer_for]
        ),
        mandate_id=text(_text(first, "Refs", "MndtId")),
        party_name=text(_party_name(first, role)),
        party_iban=iban(_text(first, "RltdPties", f"{role}Acct", "Id", "IBAN")),
        charges_minor=_charges(own, _required(booking, "Amt").get("Ccy")),
        reason=_text(returned, "Rsn", "Cd") or _text(returned, "Rsn", "Prtry"),
    )


def _kind(booking: _Node, detail: _Node | None, direction: Direction, reversal: bool, returned: _Node | None) -> Kind:
    """`RvslInd` with DBIT means that the original entry was a credit (ISO 20022, ReversalIndicator): a receipt is taken
    back. Return information or a transaction code for returns says the same where banks leave the indicator out."""
    codes = {_text(node, "BkTxCd", "Domn", "Fmly", "SubFmlyCd") or "" for node in (booking, detail) if node is not None}
    back = reversal or returned is not None or bool(codes & _RETURN_CODES)
    if direction == "credit":
        return "returned_to_us" if back else "receipt"
    if back:
        return "return"
    return "charge" if codes & _CHARGE_CODES else "debit"


def _party_name(detail: _Node | None, role: str) -> str | None:
    """From version 3 of the parties on, the name stands in `<Pty>`."""
    parties = _find(detail, "RltdPties")
    names = (_text(parties, role, "Nm"), _text(parties, role, "Pty", "Nm"))
    return next((name for name in names if name), None)


def _charges(node: _Node | None, currency: str | None) -> int:
    """What banks kept on the way; records of charges that are already included in the amount count, too."""
    total = 0
    for charges in _all(node, "Chrgs"):
        for record in (charges, *_all(charges, "Rcrd")):
            written = _find(record, "Amt")
            if written is not None and written.get("Ccy") == currency and currency:
                total += amount(written.text, currency, _line(written))
    return total


def _amount(node: _Node) -> tuple[str, int]:
    currency = node.get("Ccy") or ""
    return currency, amount(node.text, currency, _line(node))


def _direction(node: _Node, default: Direction | None = None) -> Direction:
    written = _text(node, "CdtDbtInd")
    direction = _DIRECTIONS.get(written) or (default if written is None else None)
    if direction is None:
        raise StatementRefused("the entry is neither CRDT nor DBIT", line=_line(node))
    return direction


def _date(node: _Node, *path: str) -> date | None:
    """The day as the bank wrote it; a time's zone does not move it."""
    found = _find(node, *path)
    if found is None or not (found.text or "").strip():
        return None
    try:
        return date.fromisoformat((found.text or "").strip()[:10])
    except ValueError:
        raise StatementRefused(f"{found.text!r} is not a date", line=_line(found)) from None


def _joined(texts: Sequence[str | None]) -> str | None:
    return text(" ".join(part for each in texts if (part := text(each))))


def _name(node: _Node) -> str:
    return etree.QName(node).localname


def _line(node: _Node) -> int:
    return node.sourceline or 1


def _all(node: _Node | None, name: str) -> Iterator[_Node]:
    return iter(()) if node is None else (child for child in node if _name(child) == name)


def _deep(node: _Node, name: str) -> Iterator[_Node]:
    return (each for each in node.iter() if _name(each) == name)


def _find(node: _Node | None, *path: str) -> _Node | None:
    for name in path:
        node = next(_all(node, name), None)
    return node


def _required(node: _Node, name: str) -> _Node:
    found = _find(node, name)
    if found is None:
        raise StatementRefused(f"<{_name(node)}> has no <{name}>", line=_line(node))
    return found


def _text(node: _Node | None, *path: str) -> str | None:
    found = _find(node, *path)
    return ((found.text or "").strip() or None) if found is not None else None
