-- migrate:up
create table saved_method (
    id uuid primary key,
    customer_id uuid not null references customer,
    entity_id text not null,
    status text not null constraint saved_method_status check (status in ('wanted', 'active', 'removed')),
    intent_id text not null constraint saved_method_once_an_intent unique,
    added_at timestamptz not null,
    look_at timestamptz,
    provider_customer text,
    provider_method text,
    label text,
    constraint saved_method_active_is_known check (
        status <> 'active' or num_nulls(provider_customer, provider_method, label) = 0
    ),
    constraint saved_method_looked_up_while_wanted check ((status = 'wanted') = (look_at is not null))
);
comment on table saved_method is 'Cards and mandates that customers left with the provider; only its names for them are kept here.';
create unique index saved_method_one_active on saved_method (customer_id, entity_id) where status = 'active';
create index saved_method_look_at on saved_method (look_at) where look_at is not null;

create table collection (
    id uuid primary key,
    method_id uuid not null references saved_method,
    customer_id uuid not null,
    entity_id text not null,
    invoice_id uuid not null references invoice,
    attempt int not null,
    currency text not null,
    amount_minor bigint not null constraint collection_amount_positive check (amount_minor > 0),
    status text not null constraint collection_status check (
        status in ('meant', 'paid', 'refused', 'given_up', 'needless')
    ),
    look_at timestamptz,
    intent_id text,
    payment_id uuid references payment,
    failure text,
    constraint collection_once_an_attempt unique (invoice_id, attempt),
    constraint collection_paid_has_its_payment check ((status = 'paid') = (payment_id is not null))
);
comment on table collection is 'Charges to saved methods, written before the provider is asked; the id is its Idempotency-Key.';
create index collection_look_at on collection (look_at) where look_at is not null;
create index collection_of_customer on collection (customer_id, entity_id);

-- migrate:down
drop table collection;
drop table saved_method;
