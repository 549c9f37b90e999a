-- migrate:up
create table cash_application (
    id uuid primary key references bank_entry,
    version int not null,
    entity_id text not null,
    kind text not null constraint cash_application_kind check (kind in ('receipt', 'return', 'returned_to_us')),
    status text not null constraint cash_application_status check (
        status in ('open', 'automatic', 'confirmed', 'not_ours')
    ),
    amount_minor bigint not null,
    currency text not null,
    booked_on date not null,
    customer_id uuid references customer,
    payment_id uuid references payment,
    confidence int not null constraint cash_application_confidence check (confidence between 0 and 100),
    basis text not null,
    reason text not null,
    proposals jsonb not null default '[]',
    decided_at timestamptz,
    decided_by text,
    constraint cash_application_decided_unless_open check ((status = 'open') = (decided_at is null)),
    constraint cash_application_applied_to_a_payment check (
        (status in ('automatic', 'confirmed')) = (payment_id is not null)
    )
);
comment on table cash_application is 'What became of each bank entry that may be a customer''s: applied by itself or by a person, waiting, or not ours.';
create index cash_application_open on cash_application (id) where status = 'open';
create index cash_application_booked_on on cash_application (booked_on, id);
-- A receipt makes a payment and a return takes one back, each once.
create unique index cash_application_one_payment on cash_application (payment_id, kind) where payment_id is not null;

create table payer_account (
    entity_id text not null,
    iban text not null,
    customer_id uuid not null references customer,
    times int not null constraint payer_account_times_positive check (times > 0),
    last_on date not null,
    primary key (entity_id, iban, customer_id)
);
comment on table payer_account is 'From which accounts customers have paid: learned from references and from what people confirmed.';

-- No release has the table yet, so there is nothing to block.
-- squawk-ignore require-concurrent-index-creation
create index customer_name on customer (lower(name));

-- migrate:down
drop index customer_name;
drop table payer_account;
drop table cash_application;
