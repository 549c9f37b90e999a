-- migrate:up
create table payment_course (
    invoice_id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    currency text not null,
    issued_on date not null,
    due_on date not null,
    channel text,
    disputed_on date,
    paid_on date,
    known_on date,
    constraint payment_course_known_when_paid check ((paid_on is null) = (known_on is null))
);
comment on table payment_course is 'How each invoice went, from which payment habits are learned.';
comment on column payment_course.version is 'Of the newest event that said whether it is paid.';
comment on column payment_course.disputed_on is 'The first day it was.';
comment on column payment_course.paid_on is 'When it was settled by money; null also for one that a credit note or a write-off ended.';
comment on column payment_course.known_on is 'When that was booked.';
create index payment_course_paid on payment_course (paid_on);

create table commitment (
    id uuid not null,
    invoice_id uuid not null,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    currency text not null,
    kind text not null,
    made_on date,
    ended_on date,
    outcome text,
    numbers text[] not null,
    dates date[] not null,
    amounts_minor bigint[] not null,
    primary key (id, invoice_id),
    constraint commitment_kind_known check (kind in ('promise', 'plan')),
    constraint commitment_ended_with_outcome check ((ended_on is null) = (outcome is null))
);
comment on table commitment is 'Dates on which customers said they will pay: promises, and instalments of plans.';
comment on column commitment.invoice_id is 'Of a plan, which is agreed for each invoice; of a promise its own id once more.';
comment on column commitment.numbers is 'The invoices a promise is about; empty for the account as a whole.';
create index commitment_of_customer on commitment (customer_id);
create index commitment_running on commitment (made_on) where ended_on is null;

-- migrate:down
drop table commitment;
drop table payment_course;
