-- migrate:up
create table credit_decision (
    id uuid primary key,
    customer_id uuid not null references customer (id),
    decided_at timestamptz not null,
    requested_minor bigint not null,
    requested_currency text not null,
    reference text,
    outcome text not null,
    reasons text[] not null,
    limit_minor bigint not null,
    limit_currency text not null,
    account_version bigint not null,
    exposure jsonb not null,
    asked_by text,
    asked_as text,
    constraint credit_decision_asked_once unique (asked_by, asked_as),
    constraint credit_decision_asks_for_something check (requested_minor > 0),
    constraint credit_decision_outcome_known check (outcome in ('approved', 'declined'))
);
comment on table credit_decision is 'Each answer with the facts it was given on, so that it can be given again.';
comment on column credit_decision.asked_as is
    'The asker''s own name for the question, where it gave one: the same question is answered once.';
create index credit_decision_of_customer on credit_decision (customer_id, id);

-- migrate:down
drop table credit_decision;
