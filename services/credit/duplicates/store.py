"""Customers and open applications side by side; tables customer and application are read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.credit.duplicates.rules import FREE_MAIL, Company, postal_key
from shared.db import Tx

_KNOWN = """
select c.id, 'customer' as record, c.status, c.name, c.external_id, c.address ->> 'postal_code' as postal_code,
       c.vat_id, c.contacts, a.form
from customer c left join application a on a.customer_id = c.id
where c.status = 'active'
union all
select id, 'application', status, coalesce(form ->> 'legal_name', ''), null, form -> 'address' ->> 'postal_code',
       null, coalesce(form -> 'contacts', '[]'), form
from application where status in ('draft', 'submitted', 'in_vetting', 'approved')
"""


async def find(tx: Tx, id: UUID) -> Company | None:
    row = await tx.fetchrow(f"select * from ({_KNOWN}) known where id = $1", id)
    return _company(row) if row else None


async def alike(tx: Tx, company: Company) -> list[Company]:
    """Everybody who has something in common with it; of names, only whether they are in the same place."""
    rows = await tx.fetch(
        _ALIKE,
        company.id,
        sorted(company.values),
        company.iban,
        postal_key(company.postal_code),
        sorted(company.mail_domains - FREE_MAIL),
    )
    return [_company(row) for row in rows]


_ALIKE = f"""
select * from ({_KNOWN}) known
where id <> $1 and (
    vat_id = any($2)
    or form #>> '{{bank,iban}}' = $3
    or upper(regexp_replace(postal_code, '[\\s-]', '', 'g')) = $4
    or exists (select from jsonb_array_elements(form -> 'identifiers') i where i ->> 'value' = any($2))
    or exists (select from jsonb_array_elements(contacts) c
               where lower(split_part(c ->> 'email', '@', 2)) = any($5))
)
"""
"""A look at each customer, a few times a day: an index for every one of these would cost each change of a customer."""


def _company(row: Any) -> Company:
    form = row["form"] or {}
    numbers = {(each["kind"], each["value"]) for each in form.get("identifiers", ())}
    if row["vat_id"]:
        numbers.add(("vat", row["vat_id"]))
    emails = [contact.get("email") for contact in row["contacts"]]
    return Company(
        id=row["id"],
        record=row["record"],
        status=row["status"],
        name=row["name"],
        external_id=row["external_id"],
        postal_code=row["postal_code"],
        trading_names=tuple(form.get("trading_names", ())),
        numbers=frozenset(numbers),
        iban=(form.get("bank") or {}).get("iban"),
        mail_domains=frozenset(email.rpartition("@")[2].lower() for email in emails if email),
    )
