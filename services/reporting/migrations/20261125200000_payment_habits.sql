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
create index payment_course_due on payment_course (due_on);

create table instalment_plan (
    id uuid not null,
    invoice_id uuid not null,
    customer_id uuid not null,
    number text not null,
    made_on date,
    ended_on date,
    outcome text,
    dates date[] not null,
    amounts_minor bigint[] not null,
    primary key (id, invoice_id),
    constraint instalment_plan_ended_with_outcome check ((ended_on is null) = (outcome is null))
);
comment on table instalment_plan is 'Plans on invoices; either of the two events of one may come first.';
create index instalment_plan_running on instalment_plan (made_on) where ended_on is null;

-- migrate:down
drop table instalment_plan;
drop table payment_course;
