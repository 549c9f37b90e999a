"""Where a bank entry may go, as rules: what speaks for a proposal, how sure it is, and that no cent is lost in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.bank_returns import rules as bank_returns
from services.invoice.bank_returns.rules import PaidBefore
from services.invoice.bank_statements.rules import BankEntry
from services.invoice.cash_application.rules import charges_part
from services.invoice.entities.rules import CashApplication
from services.invoice.exact_sums import rules as exact_sums
from services.invoice.exact_sums.rules import Open, exact_sum
from services.invoice.invoices.rules import Invoice
from services.invoice.matching import rules
from services.invoice.matching.rules import ProposalOutdated
from services.invoice.payment_references.rules import payment_reference
from services.invoice.proposals import rules as proposals
from services.invoice.proposals.rules import Judgement, Payer, Proposal
from shared.ids import new_id
from shared.money import Money
from tests.invoice.bank_files import ACCOUNT, ACME_IBAN

DAY = date(2024, 2, 28)
ACME, BAKER = new_id(), new_id()
STRICT = CashApplication()
TOLERANT = CashApplication(tolerance_amounts=(Money(200, "EUR"),), tolerance_percent=5)


def entry(amount: int, **more: Any) -> BankEntry:
    about: dict[str, Any] = {
        "id": new_id(), "bank_statement_id": new_id(), "entity_id": "default", "account": ACCOUNT, "line": 1,
        "direction": "credit", "kind": "receipt", "amount_minor": amount, "currency": "EUR", "booked_on": DAY,
        "value_on": DAY, "bank_reference": None, "end_to_end_id": None, "creditor_reference": None, "remittance": None,
        "additional_info": None, "mandate_id": None, "party_name": None, "party_iban": ACME_IBAN, "charges_minor": 0,
        "reason": None, "applied_at": None,
    }  # fmt: skip
    return BankEntry(**{**about, **more})


def invoice(number: str, owed: int, *, due: int = 0, customer: UUID = ACME, paid: int = 0, **more: Any) -> Invoice:
    day = DAY + timedelta(days=due)
    return Invoice(
        id=new_id(), version=1, entity_id="default", customer_id=customer, number=number, currency="EUR",
        issue_date=day - timedelta(days=30), due_date=day, net_minor=owed + paid, tax_minor=0,
        raised_on=day - timedelta(days=30), moved_on=day - timedelta(days=30), delivery_channel="email",
        allocated_minor=paid, **more,
    )  # fmt: skip


def judged(
    received: BankEntry,
    *owing: Invoice | Open,
    policy: CashApplication = STRICT,
    payers: tuple[Payer, ...] = (),
    known_account: bool = False,
    known_name: bool = False,
) -> Judgement:
    """Judge an entry that may come from Acme, who owes these invoices."""
    items = [each if isinstance(each, Open) else Open(each) for each in owing]
    said = proposals.mentions(received)
    all_of_them = [each.invoice for each in items] + [each for payer in payers for each in payer.named]
    references = {each.id: payment_reference(each.number) for each in all_of_them}
    named = tuple(each.invoice for each in items if each.invoice.number in said or references[each.invoice.id] in said)
    still_open = tuple(each for each in items if each.owed_minor)
    acme = Payer(ACME, "Acme", still_open, named, known_account, known_name)
    mine = (acme,) if named or known_account or known_name else ()
    return proposals.judge(received, (*mine, *payers), said, references, policy)


def paid(proposal: Proposal) -> dict[str, tuple[int, ...]]:
    return {
        part.invoice_number: tuple(
            minor for minor in (part.amount_minor, part.discount_minor, part.difference_minor) if minor
        )
        for part in proposal.parts
    }


A1, A2, A3 = invoice("A-1", 100_00, due=-9), invoice("A-2", 50_00, due=-5), invoice("A-3", 30_00, due=3)
RF1 = payment_reference("A-1")
BOTH: dict[str, tuple[int, ...]] = {"A-1": (100_00,), "A-2": (50_00,)}

BY_REFERENCE: dict[str, tuple[BankEntry, int, dict[str, tuple[int, ...]]]] = {
    "rf in its own field": (entry(100_00, creditor_reference=RF1), 99, {"A-1": (100_00,)}),
    "rf in the text": (entry(100_00, remittance=f"paid {RF1}"), 98, {"A-1": (100_00,)}),
    "number as end-to-end id": (entry(100_00, end_to_end_id="A-1"), 97, {"A-1": (100_00,)}),
    "number in the text": (entry(100_00, remittance="Re A-1, 20.2."), 96, {"A-1": (100_00,)}),
    "two numbers": (entry(150_00, remittance="A-1 + A-2"), 96, BOTH),
    "a part": (entry(40_00, remittance="A-1"), 90, {"A-1": (40_00,)}),
    "one of two exactly": (entry(50_00, remittance="A-1 A-2"), 89, {"A-2": (50_00,)}),
    "a part of two": (entry(120_00, remittance="A-1 A-2"), 81, {"A-1": (100_00,), "A-2": (20_00,)}),
    "more, which is another": (entry(130_00, remittance="A-1"), 88, {"A-1": (100_00,), "A-3": (30_00,)}),
    "more, which is nothing": (entry(107_00, remittance="A-1"), 84, {"A-1": (100_00,)}),
    "rf and number weigh as the weaker": (entry(150_00, remittance=f"{RF1} A-2"), 96, BOTH),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_REFERENCE)
def test_references_decide_and_the_amount_says_how_surely(name: str) -> None:
    received, confidence, parts = BY_REFERENCE[name]

    judgement = judged(received, A1, A2, A3)

    best = judgement.proposals[0]
    assert (best.confidence, best.basis, paid(best)) == (confidence, "reference", parts)
    assert judgement.automatic == (confidence >= 90)
    assert judgement.reason == best.reason


@pytest.mark.parametrize(
    ("amount", "confidence", "parts"),
    [
        (99_99, 93, {"A-1": (99_99, 1)}),
        (98_00, 93, {"A-1": (98_00, 200)}),
        (97_99, 90, {"A-1": (97_99,)}),
        (100_01, 93, {"A-1": (100_00,)}),
        (102_00, 93, {"A-1": (100_00,)}),
        (102_01, 84, {"A-1": (100_00,)}),
    ],
)
def test_a_difference_up_to_the_tolerance_settles(amount: int, confidence: int, parts: dict[str, Any]) -> None:
    best = judged(entry(amount, remittance="A-1"), A1, policy=TOLERANT).proposals[0]

    assert (best.confidence, paid(best)) == (confidence, parts)


def test_the_tolerance_is_the_amount_or_the_percentage_whichever_is_less() -> None:
    assert proposals.tolerance(TOLERANT, Money(100_00, "EUR")) == 2_00
    assert proposals.tolerance(TOLERANT, Money(20_00, "EUR")) == 1_00
    assert proposals.tolerance(TOLERANT, Money(100_00, "USD")) == 0
    assert proposals.tolerance(STRICT, Money(100_00, "EUR")) == 0


def test_an_amount_short_by_what_banks_kept_is_surer_than_one_short_for_no_reason() -> None:
    kept = judged(entry(98_50, remittance="A-1", charges_minor=1_50), A1, policy=TOLERANT).proposals[0]

    assert kept.confidence == 94
    assert "charges that banks kept" in kept.reason


def test_a_discount_that_is_still_to_be_had_explains_the_amount() -> None:
    discounted = Open(A1, discount_minor=2_00)
    both = judged(entry(148_00, remittance="A-1 A-2"), discounted, A2).proposals[0]
    known = judged(entry(98_00), discounted, A2, known_account=True).proposals[0]
    short = judged(entry(97_50, remittance="A-1"), discounted, policy=TOLERANT).proposals[0]

    assert (both.confidence, paid(both)) == (95, {"A-1": (98_00, 2_00), "A-2": (50_00,)})
    assert (known.confidence, paid(known)) == (93, {"A-1": (98_00, 2_00)})
    assert (short.confidence, paid(short)) == (92, {"A-1": (97_50, 2_00, 50)})


BY_PAYER: dict[str, tuple[int, int, dict[str, tuple[int, ...]]]] = {
    "one exactly": (50_00, 94, {"A-2": (50_00,)}),
    "all that is owed": (180_00, 94, {"A-1": (100_00,), "A-2": (50_00,), "A-3": (30_00,)}),
    "the oldest ones": (150_00, 93, {"A-1": (100_00,), "A-2": (50_00,)}),
    "others that add up": (80_00, 90, {"A-2": (50_00,), "A-3": (30_00,)}),
    "nothing that adds up": (77_00, 60, {"A-1": (77_00,)}),
    "more than is owed": (200_00, 60, {"A-1": (100_00,), "A-2": (50_00,), "A-3": (30_00,)}),
}


@pytest.mark.parametrize("name", BY_PAYER)
def test_a_known_account_and_what_adds_up(name: str) -> None:
    amount, confidence, parts = BY_PAYER[name]

    by_account = judged(entry(amount), A1, A2, A3, known_account=True)
    by_name = judged(entry(amount), A1, A2, A3, known_name=True)

    assert (by_account.proposals[0].confidence, paid(by_account.proposals[0])) == (confidence, parts)
    assert by_account.automatic == (confidence >= 90)
    assert (by_name.proposals[0].confidence, by_name.automatic) == (confidence - 11, False)


def test_invoices_of_the_same_amount_and_several_sums_are_less_sure() -> None:
    twins = judged(entry(30_00), invoice("B-1", 30_00, due=-3), A3, known_account=True)
    sums = judged(entry(80_00), invoice("B-1", 60_00, due=-9), A2, A3, invoice("B-2", 20_00), known_account=True)

    assert (twins.proposals[0].confidence, twins.automatic) == (85, False)
    assert paid(twins.proposals[0]) == {"B-1": (30_00,)}, "the older one"
    assert (sums.proposals[0].confidence, sums.automatic) == (70, False)


def test_an_invoice_named_from_anothers_account_waits_for_a_person() -> None:
    baker = Payer(BAKER, "Baker", (Open(invoice("C-1", 100_00, customer=BAKER)),), known_account=True)

    judgement = judged(entry(100_00, remittance="A-1"), A1, payers=(baker,))

    assert not judgement.automatic
    assert [(each.customer_id, each.confidence) for each in judgement.proposals[:2]] == [(ACME, 84), (BAKER, 74)]


def test_customers_as_likely_as_each_other_wait_for_a_person() -> None:
    other = invoice("A-1", 100_00, customer=BAKER)
    baker = Payer(BAKER, "Baker", (Open(other),), (other,))

    judgement = judged(entry(100_00, creditor_reference=RF1), A1, payers=(baker,))

    assert [each.confidence for each in judgement.proposals] == [99, 99]
    assert not judgement.automatic


def test_an_invoice_paid_before_is_no_reason_to_pay_another() -> None:
    settled = invoice("A-9", 0, paid=100_00, settled_on=DAY)

    judgement = judged(entry(100_00, remittance="A-9"), settled, A1, known_account=True)

    assert paid(judgement.proposals[0]) == {}
    assert (judgement.proposals[0].confidence, judgement.automatic) == (61, False)
    assert "paid twice" in judgement.reason


def test_another_currency_is_no_match() -> None:
    judgement = judged(entry(100_00, currency="USD", remittance="A-1"), A1, known_account=True)

    assert judgement.proposals == ()
    assert not judgement.automatic


def test_money_of_ours_that_came_back_is_never_applied_by_itself() -> None:
    judgement = judged(entry(100_00, kind="returned_to_us", creditor_reference=RF1), A1)

    assert judgement.proposals[0].confidence == 99
    assert not judgement.automatic


def test_the_threshold_is_the_entitys() -> None:
    received = entry(40_00, remittance="A-1")

    assert judged(received, A1, policy=CashApplication(auto_match_confidence_min=90)).automatic
    assert not judged(received, A1, policy=CashApplication(auto_match_confidence_min=91)).automatic
    assert not judged(entry(100_00, creditor_reference=RF1), A1, policy=CashApplication(auto_match_confidence_min=101)).automatic  # fmt: skip  # noqa: E501


def test_a_proposal_keeps_its_id_and_its_content_in_the_database() -> None:
    [best, *_] = judged(entry(97_50, remittance="A-1"), Open(A1, 2_00), policy=TOLERANT).proposals

    assert Proposal.of(best.stored()) == best
    assert Proposal.of(best.stored()).id == best.id
    assert replace(best, confidence=1, reason="said otherwise").id == best.id
    assert replace(best, parts=()).id != best.id


def test_a_proposal_holds_while_its_invoices_owe_what_it_settles() -> None:
    [best, *_] = judged(entry(98_00, remittance="A-1"), A1, policy=TOLERANT).proposals

    assert rules.holding(best, {A1.id: A1}) is best
    for gone in ({}, {A1.id: replace(A1, allocated_minor=1)}, {A1.id: replace(A1, customer_id=BAKER)}):
        with pytest.raises(ProposalOutdated):
            rules.holding(best, gone)


def before(amount: int = 100_00, **more: Any) -> PaidBefore:
    about: dict[str, Any] = {
        "payment_id": new_id(), "customer_id": ACME, "amount_minor": amount, "currency": "EUR",
        "booked_on": DAY - timedelta(days=5), "end_to_end_id": "E-1", "mandate_id": "M-1", "party_iban": ACME_IBAN,
        "reversed": False,
    }  # fmt: skip
    return PaidBefore(**{**about, **more})


RETURNS: dict[str, tuple[dict[str, Any], PaidBefore, int]] = {
    "by end-to-end id": ({"end_to_end_id": "E-1"}, before(), 99),
    "by mandate": ({"mandate_id": "M-1"}, before(end_to_end_id=None), 95),
    "by account": ({}, before(end_to_end_id=None), 92),
    "with the bank's charge told": ({"end_to_end_id": "E-1", "charges_minor": 3_00}, before(97_00), 99),
    "with a charge not told": ({"end_to_end_id": "E-1"}, before(97_00), 84),
    "another amount": ({}, before(97_00), 0),
    "more than was taken": ({"end_to_end_id": "E-1"}, before(101_00), 0),
    "another currency": ({"end_to_end_id": "E-1"}, before(currency="USD"), 0),
    "a later payment": ({"end_to_end_id": "E-1"}, before(booked_on=DAY + timedelta(days=1)), 0),
    "a stranger's": ({"end_to_end_id": "E-2", "party_iban": None}, before(), 0),
}


@pytest.mark.parametrize("name", RETURNS)
def test_a_return_finds_its_payment(name: str) -> None:
    said, candidate, confidence = RETURNS[name]

    judgement = bank_returns.judge_return(entry(100_00, direction="debit", kind="return", **said), [candidate], STRICT)

    assert [each.confidence for each in judgement.proposals] == ([confidence] if confidence else [])
    assert judgement.automatic == (confidence >= 90)


@pytest.mark.parametrize(
    ("reason", "kind"), [("AM04", "bounced"), ("AC04", "bounced"), (None, "bounced"), ("MD06", "charged_back")]
)
def test_a_payer_who_claims_money_back_is_told_from_one_who_had_none(reason: str | None, kind: str) -> None:
    assert bank_returns.return_kind(entry(100_00, direction="debit", kind="return", reason=reason)) == kind


def test_a_return_that_may_belong_to_two_payments_waits() -> None:
    candidates = [before(end_to_end_id=None), before(end_to_end_id=None)]

    judgement = bank_returns.judge_return(entry(100_00, direction="debit", kind="return"), candidates, STRICT)

    assert ([each.confidence for each in judgement.proposals], judgement.automatic) == ([72, 72], False)


# --- sums ---

Owing = st.lists(st.tuples(st.integers(1, 300), st.integers(0, 20), st.integers(0, 5)), min_size=1, max_size=9).map(
    lambda items: [
        Open(invoice(f"N-{n}", owed, due=due), min(discount, owed - 1)) for n, (owed, discount, due) in enumerate(items)
    ]
)


@given(Owing, st.data())
def test_a_sum_that_is_there_is_found_and_adds_up(owing: list[Open], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(owing), min_size=1, unique_by=lambda each: each.invoice.id))
    amount = sum(data.draw(st.sampled_from((each.owed_minor, each.least_minor))) for each in chosen)

    found = exact_sum(amount, owing)

    assert found is not None
    assert sum(cash for _, cash in found.parts) == amount
    ids = [each.invoice.id for each, _ in found.parts]
    assert len(ids) == len(set(ids))
    assert all(cash in (each.owed_minor, each.least_minor) for each, cash in found.parts)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(1, 60))
def test_the_only_sum_is_told_from_one_of_several(amounts: list[int], wanted: int) -> None:
    """Against every subset there is: none means none, and `only` that no other amounts add up to it."""
    owing = [Open(invoice(f"N-{n}", owed, due=n)) for n, owed in enumerate(amounts)]
    subsets = {
        tuple(sorted(amounts[n] for n in range(len(amounts)) if mask >> n & 1)) for mask in range(1, 1 << len(amounts))
    }
    answers = [each for each in subsets if sum(each) == wanted]

    found = exact_sum(wanted, owing)

    assert (found is None) == (not answers)
    if found:
        assert found.only == (len(answers) == 1)


def test_a_search_that_is_too_large_is_given_up_and_never_called_the_only_answer() -> None:
    even = [Open(invoice(f"N-{n}", 2 * (1_000 + n * n), due=n)) for n in range(38)]

    assert exact_sum(20_001, even) is None
    many = [Open(invoice(f"N-{n}", 1_000 + n, due=n)) for n in range(exact_sums.INVOICES_MAX + 1)]
    found = exact_sum(1_007, many)
    assert found is not None
    assert not found.only


def test_equal_invoices_are_alike_and_the_oldest_are_taken() -> None:
    owing = [Open(invoice(f"N-{n}", 10_00, due=9 - n)) for n in range(6)]

    found = exact_sum(20_00, owing)

    assert found is not None
    assert found.only
    assert [each.invoice.number for each, _ in found.parts] == ["N-5", "N-4"]


@given(
    Owing,
    st.integers(1, 2_500),
    st.booleans(),
    st.sets(st.integers(0, 8), max_size=3),
    st.integers(0, 100),
)
def test_no_proposal_gives_away_or_takes_more_than_there_is(
    owing: list[Open], amount: int, known: bool, named: set[int], tolerance: int
) -> None:
    """Of any entry and any open items: the parts never exceed the entry, nor what each invoice owes, and what is taken
    off besides is the invoice's own discount or within the tolerance."""
    policy = CashApplication(tolerance_amounts=(Money(tolerance, "EUR"),), tolerance_percent=10)
    said = " ".join(f"N-{n}" for n in named)

    judgement = judged(entry(amount, remittance=said or None), *owing, policy=policy, known_account=known)

    by_id = {each.invoice.id: each for each in owing}
    for proposal in judgement.proposals:
        assert 0 <= proposal.applied_minor <= amount
        assert 1 <= proposal.confidence <= 99
        assert len({part.invoice_id for part in proposal.parts}) == len(proposal.parts)
        for part in proposal.parts:
            item = by_id[part.invoice_id]
            assert part.amount_minor > 0
            assert part.discount_minor in (0, item.discount_minor)
            assert 0 <= part.difference_minor <= tolerance
            assert part.settles_minor <= item.owed_minor
            if part.discount_minor or part.difference_minor:
                assert part.settles_minor == item.owed_minor, "only what is settled is let off the rest"


@given(
    st.integers(1, 1_000), st.integers(0, 500), st.integers(0, 500),
    st.lists(st.integers(1, 400), max_size=8), st.sampled_from(["charges_first", "principal_first"]),
)  # fmt: skip
def test_payments_split_into_charges_and_principal_add_up_in_either_order(
    principal: int, charged: int, unused: int, payments: list[int], order: Any
) -> None:
    """Paid in any pieces, never more goes to either than there is of it, and the one that comes first is paid first."""
    owed, charges_paid, principal_paid = invoice("A-1", principal, charged_minor=charged), 0, 0
    for amount in payments:
        amount = min(amount, owed.balance_minor)
        if not amount:
            break
        part = charges_part(owed, amount, charges_paid_minor=charges_paid, order=order)
        assert 0 <= part <= amount
        charges_paid += part
        principal_paid += amount - part
        owed = replace(owed, allocated_minor=owed.allocated_minor + amount)
        assert charges_paid <= charged
        assert principal_paid <= principal
        if order == "charges_first":
            assert principal_paid == 0 or charges_paid == charged
        else:
            assert charges_paid == 0 or principal_paid == principal


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [(0, 0, None), (1, 3, "33.33"), (2, 3, "66.67"), (1, 1, "100.00"), (1, 800, "0.12")]
)
def test_a_rate_has_two_decimals_half_even(part: int, whole: int, shown: str | None) -> None:
    assert rules.rate(part, whole) == shown
