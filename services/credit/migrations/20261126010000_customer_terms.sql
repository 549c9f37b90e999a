-- migrate:up
alter table customer
    add column prepaid_percent integer not null default 0,
    add column deposit_minor bigint,
    add column deposit_currency text,
    add column terms_source text not null default 'manual';
alter table customer add constraint customer_prepaid_is_a_share check (prepaid_percent between 0 and 100) not valid;
alter table customer add constraint customer_deposit_in_full
    check ((deposit_minor is null) = (deposit_currency is null) and deposit_minor > 0) not valid;
alter table customer add constraint customer_terms_source_known
    check (terms_source in ('default', 'manual', 'agreed', 'recommended')) not valid;
comment on column customer.deposit_minor is
    'What the customer is asked for; what was received is a security of its credit account.';
comment on column customer.terms_source is
    'Who set the terms. Nobody knows it of customers from before: theirs count as a person''s, so they are never moved.';

-- migrate:down
alter table customer
    drop column prepaid_percent,
    drop column deposit_minor,
    drop column deposit_currency,
    drop column terms_source;
