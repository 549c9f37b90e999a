"""Proposals: whose money an entry of a bank statement is, what it settles, and how sure that is.

Every proposal carries a confidence in percent and its reason in words. They are ranked by what speaks for them: a
structured reference before a number in a text, a known account before a name, an exact amount before a sum of several
invoices, and that before an amount that is a little short.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, Literal
from uuid import UUID

from services.invoice.bank_statements.rules import BankEntry
from services.invoice.cash_application.rules import tokens
from services.invoice.discounts.rules import cash_to_settle, earned
from services.invoice.entities.rules import CashApplication as Policy
from services.invoice.exact_sums.rules import Open, exact_sum
from services.invoice.invoices.rules import Invoice
from services.invoice.payment_references.rules import references_in
from shared.money import Money

Basis = Literal["reference", "payer", "amount", "return", "person", "none"]
"""What a proposal goes by: references in the entry, the account or name of who paid, the amount alone, the payment that
a return belongs to, a person's word, or nothing."""

PROPOSALS_MAX = 5
ACCOUNTS_MAX = 10
NUMBER_CHARACTERS_MIN = 3

# Confidence, in percent, of each kind of evidence at its best, and what takes away from it.
RF_STRUCTURED, RF_IN_TEXT, NUMBER_IN_FIELD, NUMBER_IN_TEXT = 99, 98, 97, 96
KNOWN_ACCOUNT, KNOWN_NAME, AMOUNT_ALONE = 95, 84, 40
ANOTHERS_ACCOUNT, ANOTHERS_INVOICE, SEVERAL_PAYERS = 12, 20, 15


@dataclass(frozen=True, slots=True)
class Payer:
    """A customer the entry may come from: by the account it was sent from (`known_account`), by name, or because the
    entry names its invoices."""

    customer_id: UUID
    name: str
    open: tuple[Open, ...] = ()
    named: tuple[Invoice, ...] = ()
    known_account: bool = False
    known_name: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A word of the entry that may name an invoice, and where it stands."""

    field: str
    written: str
    certainty: int


@dataclass(frozen=True, slots=True)
class Part:
    """What of the entry pays an invoice, and what is taken off it besides."""

    invoice_id: UUID
    invoice_number: str
    amount_minor: int
    discount_minor: int = 0
    difference_minor: int = 0

    @property
    def settles_minor(self) -> int:
        return self.amount_minor + self.discount_minor + self.difference_minor


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where an entry may go. What the parts leave of it stays unapplied on the customer's account. A proposal for a
    return has the payment to take back instead."""

    confidence: int
    basis: Basis
    reason: str
    customer_id: UUID
    parts: tuple[Part, ...] = ()
    payment_id: UUID | None = None

    @property
    def id(self) -> str:
        """The same for the same content, so that what a person saw is what is confirmed."""
        content = (
            self.customer_id,
            self.payment_id,
            *((p.invoice_id, p.settles_minor, p.amount_minor) for p in self.parts),
        )
        return blake2b(repr([str(each) for each in content]).encode(), digest_size=8).hexdigest()

    @property
    def applied_minor(self) -> int:
        return sum(part.amount_minor for part in self.parts)

    def stored(self) -> dict[str, Any]:
        return {
            "confidence": self.confidence,
            "basis": self.basis,
            "reason": self.reason,
            "customer_id": str(self.customer_id),
            "payment_id": str(self.payment_id) if self.payment_id else None,
            "parts": [
                [str(p.invoice_id), p.invoice_number, p.amount_minor, p.discount_minor, p.difference_minor]
                for p in self.parts
            ],
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Proposal:
        payment_id = stored["payment_id"]
        return cls(
            **{name: stored[name] for name in ("confidence", "basis", "reason")},
            customer_id=UUID(stored["customer_id"]),
            parts=tuple(Part(UUID(each[0]), *each[1:]) for each in stored["parts"]),
            payment_id=UUID(payment_id) if payment_id else None,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """The proposals for an entry, the surest first, and whether the first is sure enough to need nobody."""

    proposals: tuple[Proposal, ...]
    automatic: bool
    reason: str


# --- what an entry says ---


def mentions(entry: BankEntry) -> dict[str, Mention]:
    """RF references and words that may be invoice numbers, each with the field that tells it best."""
    found: dict[str, Mention] = {}
    for name, text in entry.texts:
        structured = name in ("creditor reference", "end-to-end id")
        for reference in references_in(text):
            found.setdefault(reference, Mention(name, reference, RF_STRUCTURED if structured else RF_IN_TEXT))
        words = dict.fromkeys([text, *tokens(text)]) if structured else tokens(text)
        for word in words:
            if len(word) >= NUMBER_CHARACTERS_MIN:
                found.setdefault(word, Mention(name, word, NUMBER_IN_FIELD if structured else NUMBER_IN_TEXT))
    return found


def references_of(said: Mapping[str, Mention]) -> tuple[list[str], list[str]]:
    """The numbers and the RF references among them, to look for."""
    references = [written for written, mention in said.items() if mention.certainty in (RF_STRUCTURED, RF_IN_TEXT)]
    return [written for written in said if written not in references], references


def tolerance(policy: Policy, owed: Money) -> int:
    """By how much a payment may be short of what is owed and still settle it: the amount for the currency, and at most
    the percentage of what is owed."""
    amount = next((each.minor for each in policy.tolerance_amounts if each.currency == owed.currency), 0)
    return max(0, min(amount, owed.minor * policy.tolerance_percent // 100))


def item(invoice: Invoice, received_on: date) -> Open:
    """An open invoice as money received on a day may settle it: with its discount, where one is still to be had."""
    rate_bp = 0 if invoice.charged_minor or invoice.written_off_minor else earned(invoice.offers, received_on)
    return Open(invoice, invoice.balance_minor - cash_to_settle(invoice.balance_minor, rate_bp))


# --- receipts ---


def judge(
    entry: BankEntry,
    payers: Sequence[Payer],
    said: Mapping[str, Mention],
    references: Mapping[UUID, str],
    policy: Policy,
    *,
    lookalikes: Sequence[Invoice] = (),
) -> Judgement:
    """Rank where a receipt may go. `references` are the invoices' RF references, `lookalikes` invoices of anybody that
    owe exactly the amount, for entries that say nothing."""
    proposals = [each for payer in payers for each in _of_payer(entry, payer, payers, said, references, policy)]
    if not proposals:
        proposals = [_by_amount(entry, invoice, len(lookalikes)) for invoice in lookalikes]
    unique: dict[str, Proposal] = {}
    for each in sorted(proposals, key=lambda proposal: -proposal.confidence):
        unique.setdefault(each.id, each)
    best = tuple(unique.values())[:PROPOSALS_MAX]
    if entry.kind == "returned_to_us":
        return Judgement(best, False, "money that we had sent came back: somebody decides what it is")
    if not best:
        return Judgement((), False, _why_nothing(entry, payers))
    return Judgement(best, _is_sure(best, policy), best[0].reason)


def _is_sure(best: Sequence[Proposal], policy: Policy) -> bool:
    """Sure enough, and no other customer is as likely."""
    first = best[0]
    rivals = [each for each in best[1:] if each.customer_id != first.customer_id]
    if any(each.confidence > first.confidence - 5 for each in rivals):
        return False
    return first.confidence >= policy.auto_match_confidence_min


def _why_nothing(entry: BankEntry, payers: Sequence[Payer]) -> str:
    if payers:
        names = ", ".join(payer.name for payer in payers)
        return f"it seems to come from {names}, of whom nothing is open in {entry.currency}"
    return "neither a reference nor the payer is known, and no invoice owes this amount"


def _of_payer(
    entry: BankEntry,
    payer: Payer,
    payers: Sequence[Payer],
    said: Mapping[str, Mention],
    references: Mapping[UUID, str],
    policy: Policy,
) -> Iterator[Proposal]:
    by_id = {each.invoice.id: each for each in payer.open}
    named = [by_id.get(invoice.id, Open(invoice)) for invoice in payer.named if invoice.currency == entry.currency]
    still_open = tuple(each for each in payer.open if each.invoice.currency == entry.currency and each.owed_minor)
    view = _View(entry, payer, policy, still_open)
    if named:
        words = [_mention_of(each.invoice, said, references) for each in named]
        certainty = min(word.certainty for word in words)
        if not payer.known_account and any(other.known_account for other in payers):
            certainty -= ANOTHERS_ACCOUNT
        yield from _by_reference(view, named, certainty, _in_words(named, words))
    elif payer.known_account or payer.known_name:
        base = KNOWN_ACCOUNT if payer.known_account else KNOWN_NAME
        if any(other.named for other in payers):
            base -= ANOTHERS_INVOICE
        rivals = sum(1 for other in payers if other.known_account == payer.known_account and not other.named)
        yield from _by_payer(view, base - (SEVERAL_PAYERS if rivals > 1 else 0))


@dataclass(frozen=True, slots=True)
class _View:
    """An entry seen as one customer's."""

    entry: BankEntry
    payer: Payer
    policy: Policy
    open: tuple[Open, ...]

    @property
    def amount(self) -> int:
        return self.entry.amount_minor

    def proposal(self, confidence: int, basis: Basis, reason: str, parts: Iterable[Part]) -> Proposal:
        return Proposal(max(confidence, 1), basis, reason, self.payer.customer_id, tuple(parts))

    def money(self, minor: int) -> Money:
        return Money(minor, self.entry.currency)

    def tolerance(self, owed_minor: int) -> int:
        return tolerance(self.policy, self.money(owed_minor))


def _mention_of(invoice: Invoice, said: Mapping[str, Mention], references: Mapping[UUID, str]) -> Mention:
    found = [said[word] for word in (references.get(invoice.id, ""), invoice.number) if word in said]
    return max(found, key=lambda mention: mention.certainty)


def _in_words(named: Sequence[Open], words: Sequence[Mention]) -> str:
    shown = [
        f"{word.written} in the {word.field}"
        + ("" if word.written == each.invoice.number else f" is the reference of invoice {each.invoice.number}")
        if word.written != each.invoice.number
        else f"invoice {each.invoice.number} is named in the {word.field}"
        for each, word in zip(named, words, strict=True)
    ]
    return "; ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _by_reference(view: _View, named: Sequence[Open], certainty: int, why: str) -> Iterator[Proposal]:
    amount, owing = view.amount, [each for each in named if each.owed_minor]
    if not owing:
        numbers = ", ".join(each.invoice.number for each in named)
        reason = f"{why}, but nothing is owed on {numbers}: it may have been paid twice"
        yield view.proposal(certainty - 35, "reference", reason, ())
        return
    whole = _settling(view, owing)
    if whole is not None:
        parts, how, doubt = whole
        yield view.proposal(certainty - doubt, "reference", f"{why}; {how}", parts)
        return
    owed = sum(each.owed_minor for each in owing)
    if amount > owed:
        rest, ids = amount - owed, {each.invoice.id for each in owing}
        others = [each for each in view.open if each.invoice.id not in ids]
        if found := exact_sum(rest, others):
            more = ", ".join(each.invoice.number for each, _ in found.parts)
            yield view.proposal(
                certainty - (8 if found.only else 25),
                "reference",
                f"{why}; what it pays beyond that is exactly {more}",
                [*_in_full(owing), *_parts(found.parts)],
            )
        yield view.proposal(
            certainty - 12,
            "reference",
            f"{why}; it pays {view.money(owed)} owed, and {view.money(rest)} are left over",
            _in_full(owing),
        )
        return
    if len(owing) == 1:
        reason = f"{why}; it pays {view.money(amount)} of {view.money(owed)}"
        yield view.proposal(certainty - 6, "reference", reason, _oldest_first(owing, amount))
        return
    if found := exact_sum(amount, owing):
        numbers = ", ".join(each.invoice.number for each, _ in found.parts)
        reason = f"{why}; of these it pays exactly {numbers}"
        yield view.proposal(certainty - (7 if found.only else 20), "reference", reason, _parts(found.parts))
    reason = f"{why}; it pays {view.money(amount)} of {view.money(owed)}, the oldest first"
    yield view.proposal(certainty - 15, "reference", reason, _oldest_first(owing, amount))


def _settling(view: _View, owing: Sequence[Open]) -> tuple[list[Part], str, int] | None:
    """How the amount settles all of these invoices, with how much doubt; None when it does not."""
    amount, owed = view.amount, sum(each.owed_minor for each in owing)
    if amount == owed:
        return list(_in_full(owing)), "the amount is exactly what is owed", 0
    if any(each.discount_minor for each in owing):
        if found := exact_sum(amount, owing, all_of_them=True):
            return _parts(found.parts), "the amount is what is owed less the discount", 1
        least = sum(each.least_minor for each in owing)
        if 0 < least - amount <= view.tolerance(owed):
            short = least - amount
            parts = _less(_parts([(each, each.least_minor) for each in owing]), short)
            if parts:
                return parts, f"it is {view.money(short)} short of what is owed less the discount", 4
    short = owed - amount
    if 0 < short <= view.tolerance(owed):
        parts = _less(list(_in_full(owing)), short)
        if parts:
            charged = view.entry.charges_minor == short
            how = f"it is {view.money(short)} short" + (", the charges that banks kept" if charged else "")
            return parts, how, 2 if charged else 3
    over = amount - owed
    if 0 < over <= view.tolerance(owed):
        return list(_in_full(owing)), f"it is {view.money(over)} more than is owed, which stay unapplied", 3
    return None


def _by_payer(view: _View, base: int) -> Iterator[Proposal]:
    payer, amount, owing = view.payer, view.amount, view.open
    if payer.known_account:
        who = f"{payer.name} has paid from this account before"
    else:
        who = f"{payer.name} has the name of who paid"
    if not owing:
        return
    exact = [each for each in owing if each.owed_minor == amount]
    if exact:
        doubt = 1 if len(exact) == 1 else 10
        which = "owes exactly this amount" if len(exact) == 1 else f"is the oldest of {len(exact)} that owe this amount"
        reason = f"{who}; invoice {exact[0].invoice.number} {which}"
        yield view.proposal(base - doubt, "payer", reason, _in_full(exact[:1]))
    elif discounted := [each for each in owing if each.discount_minor and each.least_minor == amount]:
        reason = f"{who}; invoice {discounted[0].invoice.number} owes exactly this amount less its discount"
        yield view.proposal(base - 2, "payer", reason, _parts([(discounted[0], amount)]))
    if sum(each.owed_minor for each in owing) == amount and len(owing) > 1:
        yield view.proposal(base - 1, "payer", f"{who}; it is all that is owed", _in_full(owing))
    elif (prefix := _prefix(amount, owing)) and len(prefix) > 1:
        reason = f"{who}; it is exactly the {len(prefix)} oldest invoices"
        yield view.proposal(base - 2, "payer", reason, _in_full(prefix))
    elif not exact and (found := exact_sum(amount, owing)) and len(found.parts) > 1:
        numbers = ", ".join(each.invoice.number for each, _ in found.parts)
        only = "the only ones that add up to it" if found.only else "among others that add up to it, too"
        reason = f"{who}; invoices {numbers} are {only}"
        yield view.proposal(base - (5 if found.only else 25), "payer", reason, _parts(found.parts))
    if not exact:
        near = [each for each in owing if 0 < each.owed_minor - amount <= view.tolerance(each.owed_minor)]
        for each in near[:2]:
            short = each.owed_minor - amount
            reason = f"{who}; it is {view.money(short)} short of invoice {each.invoice.number}"
            yield view.proposal(
                base - (8 if len(near) == 1 else 20), "payer", reason, _less(list(_in_full([each])), short)
            )
    reason = f"{who}; applied to what is due longest"
    yield view.proposal(base - 35, "payer", reason, _oldest_first(owing, amount))


def _by_amount(entry: BankEntry, invoice: Invoice, many: int) -> Proposal:
    alone = "the only invoice that owes" if many == 1 else "one of several that owe"
    return Proposal(
        AMOUNT_ALONE - (0 if many == 1 else 15),
        "amount",
        f"nothing else is known; invoice {invoice.number} is {alone} exactly {entry.amount}",
        invoice.customer_id,
        (Part(invoice.id, invoice.number, entry.amount_minor),),
    )


def _in_full(owing: Iterable[Open]) -> Iterator[Part]:
    return (Part(each.invoice.id, each.invoice.number, each.owed_minor) for each in owing)


def _parts(paid: Iterable[tuple[Open, int]]) -> list[Part]:
    """Each invoice with what pays it; the rest of it is its discount."""
    return [Part(each.invoice.id, each.invoice.number, cash, each.owed_minor - cash) for each, cash in paid]


def _less(parts: list[Part], short_minor: int) -> list[Part]:
    """The same parts with so much less money, the small difference taken from the largest; empty when none can."""
    largest = max(range(len(parts)), key=lambda n: parts[n].amount_minor)
    part = parts[largest]
    if part.amount_minor <= short_minor:
        return []
    parts[largest] = Part(
        part.invoice_id, part.invoice_number, part.amount_minor - short_minor, part.discount_minor, short_minor
    )
    return parts


def _oldest_first(owing: Sequence[Open], amount_minor: int) -> list[Part]:
    parts = []
    for each in sorted(owing, key=lambda item: (item.invoice.due_date, item.invoice.id)):
        paid = min(each.owed_minor, amount_minor)
        if paid:
            parts.append(Part(each.invoice.id, each.invoice.number, paid))
            amount_minor -= paid
    return parts


def _prefix(amount_minor: int, owing: Sequence[Open]) -> list[Open]:
    """The oldest invoices that add up to the amount, if it stops between two of them."""
    taken: list[Open] = []
    for each in owing:
        if amount_minor <= 0:
            break
        taken.append(each)
        amount_minor -= each.owed_minor
    return taken if amount_minor == 0 else []


_LETTERS = re.compile(r"[^\w]+")


def names_in(entry: BankEntry) -> list[str]:
    """How the payer is called, as customers may be, too."""
    return [entry.party_name] if entry.party_name and _LETTERS.sub("", entry.party_name) else []
