-- migrate:up
create table limit_change (
    customer_id uuid primary key,
    currency text not null,
    limit_minor bigint not null,
    base_minor bigint not null,
    noted_at timestamptz not null
);
comment on table limit_change is
    'Customers to be written about their limit, with what it was before; empty while the policy has nobody written to.';
create index limit_change_due on limit_change (noted_at);

create table limit_letter (
    id uuid primary key,
    customer_id uuid not null references customer (id),
    account_version bigint not null,
    before_minor bigint,
    before_currency text,
    limit_minor bigint not null,
    currency text not null,
    reason text not null,
    effective_on date not null,
    company text not null,
    language text not null,
    country text not null,
    recipient text,
    recipient_name text not null,
    planned_at timestamptz not null,
    repeat_of uuid references limit_letter (id),
    status text not null,
    attempts int not null default 0,
    lease_until timestamptz,
    retry_at timestamptz,
    ended_at timestamptz,
    detail text,
    subject text,
    plain text,
    constraint limit_letter_status_known check (status in ('planned', 'sending', 'sent', 'refused', 'unknown')),
    constraint limit_letter_leased_while_sending check ((status = 'sending') = (lease_until is not null)),
    constraint limit_letter_ends check ((status in ('planned', 'sending')) = (ended_at is null)),
    constraint limit_letter_repeated_once unique (repeat_of)
);
comment on table limit_letter is
    'What customers are written about their limit: the intent before anything is sent, and what became of it.';
comment on column limit_letter.lease_until is
    'Real time until which it counts as under way; after that nobody knows whether it left, and it is not sent again.';
create unique index limit_letter_one_a_change on limit_letter (customer_id, account_version) where repeat_of is null;
create index limit_letter_under_way on limit_letter (planned_at) where status in ('planned', 'sending');

-- migrate:down
drop table limit_letter;
drop table limit_change;
