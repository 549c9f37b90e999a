-- migrate:up
create table reconciliation (
    id uuid primary key,
    on_day date not null,
    as_of date not null,
    at timestamptz not null,
    scope text not null constraint reconciliation_scope check (scope in ('moved', 'all')),
    invoices_compared bigint not null,
    payments_compared bigint not null,
    up_to_entry bigint not null,
    reporting text not null constraint reconciliation_reporting check (
        reporting in ('agrees', 'differs', 'unreachable')
    ),
    differences_count int not null
);
comment on table reconciliation is 'Each time the books were held against each other; up_to_entry is the last journal entry seen.';

create table reconciliation_difference (
    reconciliation_id uuid not null references reconciliation,
    position int not null,
    what text not null,
    customer_id uuid,
    subject_id uuid,
    name text not null,
    currency text not null,
    booked_minor bigint not null,
    shown_minor bigint not null,
    entries bigint[] not null,
    primary key (reconciliation_id, position),
    constraint reconciliation_difference_what check (what in ('invoice', 'payment', 'reporting')),
    constraint reconciliation_difference_is_one check (booked_minor <> shown_minor)
);

create table reconciliation_schedule (
    one boolean primary key default true constraint reconciliation_schedule_has_one_row check (one),
    next_at timestamptz not null,
    not_before timestamptz not null default now()
);
comment on table reconciliation_schedule is 'When the books are compared next: each business day as it begins, the first time at once, and not before so much real time has passed.';
insert into reconciliation_schedule (next_at) values ('2000-01-01');

-- migrate:down
drop table reconciliation_schedule;
drop table reconciliation_difference;
drop table reconciliation;
