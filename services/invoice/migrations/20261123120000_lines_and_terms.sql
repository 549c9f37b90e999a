-- migrate:up
alter table invoice_line add column particulars jsonb;
comment on column invoice_line.particulars is 'What a plain line does not have: unit, fine price, allowances, references; pricing/rules.py: LineParticulars.';

alter table invoice_tax add column exemption_code text, add column exemption_reason text;

create function sum_of(parts bigint[]) returns bigint language sql immutable as $$
    select coalesce(sum(part), 0)::bigint from unnest(parts) as part
$$;

alter table invoice
    add column supplied_on date,
    add column terms jsonb,
    add column particulars jsonb,
    add column instalment_due date[],
    add column instalment_minor bigint[],
    add column discount_until date[],
    add column discount_bp int[],
    add constraint invoice_instalments_add_up check (
        (instalment_due is null) = (instalment_minor is null)
        and cardinality(instalment_due) = cardinality(instalment_minor)
        and (instalment_minor is null or sum_of(instalment_minor) = total_minor)
    ) not valid,
    add constraint invoice_discounts_have_dates check (
        (discount_until is null) = (discount_bp is null) and cardinality(discount_until) = cardinality(discount_bp)
    ) not valid;
comment on column invoice.due_date is 'With instalments, the date of the earliest one that is not paid.';
comment on column invoice.terms is 'Terms with their dates and amounts where they say more than a due date; terms/rules.py: AgreedTerms.';
comment on column invoice.particulars is 'What a plain invoice does not have: references, allowances, findings; drafting/rules.py: InvoiceParticulars.';

-- migrate:down
alter table invoice
    drop column supplied_on, drop column terms, drop column particulars, drop column instalment_due,
    drop column instalment_minor, drop column discount_until, drop column discount_bp;
drop function sum_of(bigint[]);
alter table invoice_tax drop column exemption_code, drop column exemption_reason;
alter table invoice_line drop column particulars;
