-- migrate:up
alter table credit_decision add column inputs jsonb;
alter table credit_decision add column available_minor bigint;
comment on column credit_decision.inputs is 'All that was known, so that the same question gets the same answer.';
-- squawk-ignore ban-drop-constraint
alter table credit_decision drop constraint credit_decision_outcome_known;
alter table credit_decision add constraint credit_decision_outcome_known
    check (outcome in ('approved', 'referred', 'declined')) not valid;

create table decision_override (
    decision_id uuid primary key references credit_decision (id),
    customer_id uuid not null references customer (id),
    reference text,
    amount_minor bigint not null,
    currency text not null,
    reason text not null,
    overridden_by text not null,
    overridden_at timestamptz not null,
    expires_at timestamptz not null,
    constraint decision_override_has_a_time check (expires_at > overridden_at)
);
comment on table decision_override is 'A person let pass, for a while, what the rules did not.';

create table blocked_order (
    id uuid primary key references credit_decision (id),
    version bigint not null,
    customer_id uuid not null references customer (id),
    reference text not null,
    amount_minor bigint not null,
    currency text not null,
    reasons text[] not null,
    asked_by text not null,
    blocked_at timestamptz not null,
    status text not null,
    closed_at timestamptz,
    closed_by text,
    closed_because text,
    constraint blocked_order_status_known check (status in ('waiting', 'released', 'refused')),
    constraint blocked_order_closed_by_somebody check ((status = 'waiting') = (closed_by is null))
);
comment on table blocked_order is 'Orders that asked for a reservation and did not get it, until a person decides.';
create index blocked_order_queue on blocked_order (id) where status = 'waiting';
create unique index blocked_order_one_an_order on blocked_order (customer_id, reference) where status = 'waiting';

-- migrate:down
drop table blocked_order;
drop table decision_override;
alter table credit_decision drop constraint credit_decision_outcome_known;
alter table credit_decision add constraint credit_decision_outcome_known
    check (outcome in ('approved', 'declined')) not valid;
alter table credit_decision drop column available_minor;
alter table credit_decision drop column inputs;
