"""What is agreed with customers and still runs: everybody's for the forecast, one customer's alone for its page."""

from __future__ import annotations

from datetime import date

from services.reporting.dashboard_customer import handlers as dashboard_customer
from services.reporting.outcomes import handlers as outcomes
from services.reporting.plans import handlers as plans
from shared.db import reading
from tests.reporting.books import Books
from tests.reporting.client import Reporting

D = date


async def test_a_customers_page_reads_its_own_promises_and_plans_alone(reporting: Reporting) -> None:
    books = Books()
    for name, promised_on in (("Mine", D(2021, 6, 10)), ("Another", D(2021, 6, 20))):
        customer = books.onboard(name)
        books.promise(books.issue(customer, D(2021, 5, 1), 100_00), D(2021, 6, 1), promised_on)
        books.agree_plan(books.issue(customer, D(2021, 5, 1), 300_00), D(2021, 6, 1), 300_00)
    await reporting.hear(books)
    mine = books.items[0].customer_id
    async with reading(reporting.database) as tx:
        everybody = await outcomes.promises_running(tx, D(2021, 6, 1))
        (promise,) = await outcomes.promises_running(tx, D(2021, 6, 1), mine)
        (plan,) = await plans.running(tx, D(2021, 6, 1), mine)
        assert (len(everybody), len(await plans.running(tx, D(2021, 6, 1)))) == (2, 2)
        assert await outcomes.promises_running(tx, D(2021, 5, 31), mine) == []
        invoices, expected = await dashboard_customer.expect_payments(tx, mine, D(2021, 6, 1))
    assert (promise["customer_id"], promise["promised_on"]) == (mine, D(2021, 6, 10))
    assert (plan["customer_id"], plan["number"]) == (mine, books.items[1].number)
    assert {row["invoice_id"] for row in invoices} == {item.id for item in books.items[:2]}
    assert expected.keys() <= {item.id for item in books.items[:2]}
