-- migrate:up
create table checkout (
    id uuid primary key,
    customer_id uuid not null references customer,
    entity_id text not null,
    currency text not null,
    amount_minor bigint not null constraint checkout_amount_positive check (amount_minor > 0),
    parts jsonb not null,
    save_method boolean not null,
    status text not null constraint checkout_status check (
        status in ('created', 'open', 'processing', 'paid', 'failed', 'expired')
    ),
    started_at timestamptz not null,
    look_at timestamptz,
    session_id text constraint checkout_session_unique unique,
    url text,
    intent_id text constraint checkout_intent_unique unique,
    payment_id uuid references payment,
    failure text,
    constraint checkout_paid_has_its_payment check ((status = 'paid') = (payment_id is not null)),
    constraint checkout_looked_at_until_it_ends check ((status in ('paid', 'failed', 'expired')) = (look_at is null))
);
comment on table checkout is 'Payments begun on the customer''s page; the row is written before the provider is called.';
create index checkout_look_at on checkout (look_at) where look_at is not null;
create index checkout_of_customer on checkout (customer_id, id);

create table provider_event (
    id text primary key,
    at timestamptz not null default now()
);
comment on table provider_event is 'Calls of the payment provider that were taken: each counts once.';

-- migrate:down
drop table provider_event;
drop table checkout;
