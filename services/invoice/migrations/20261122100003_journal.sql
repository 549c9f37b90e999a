-- migrate:up
create table journal_entry (
    id bigint generated always as identity primary key,
    entity_id text not null,
    customer_id uuid not null,
    effective_on date not null,
    booked_on date not null,
    kind text not null,
    debit text not null,
    credit text not null,
    amount_minor bigint not null,
    currency text not null,
    invoice_id uuid,
    payment_id uuid,
    source_id uuid,
    reverses bigint references journal_entry,
    constraint journal_entry_amount_positive check (amount_minor > 0),
    constraint journal_entry_two_accounts check (debit <> credit),
    constraint journal_entry_reversed_once unique (reverses)
);
comment on table journal_entry is 'Double entry: one row debits one account and credits another with one amount, so it is balanced by construction. Never changed; a correction is a row that reverses another.';
create index journal_entry_by_date on journal_entry (effective_on, id);
create index journal_entry_of_payment on journal_entry (payment_id) where payment_id is not null;

create index journal_entry_of_source on journal_entry (source_id) where source_id is not null;
create index journal_entry_of_customer on journal_entry (customer_id, effective_on, id);
comment on column journal_entry.source_id is 'What it was booked for besides invoice and payment: an adjustment, a refund.';

create function journal_is_immutable() returns trigger language plpgsql as $$
begin
    raise exception 'journal entries are never changed; book a reversal'
        using errcode = 'check_violation', constraint = 'journal_is_immutable';
end $$;
create trigger journal_is_immutable before update or delete or truncate on journal_entry
    for each statement execute function journal_is_immutable();

-- migrate:down
drop table journal_entry;
drop function journal_is_immutable();
