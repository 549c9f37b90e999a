-- migrate:up
create table approval (
    id uuid primary key,
    entity_id text not null,
    customer_id uuid not null references customer,
    kind text not null constraint approval_kind check (kind in ('write_off')),
    subject_id uuid not null,
    invoice_id uuid references invoice,
    currency text not null,
    amount_minor bigint not null constraint approval_amount_positive check (amount_minor > 0),
    reason text not null,
    status text not null constraint approval_status check (status in ('open', 'approved', 'rejected')),
    requested_by text not null,
    requested_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    note text,
    constraint approval_decided_by_somebody check (
        (status = 'open') = (decided_by is null) and (status = 'open') = (decided_at is null)
    ),
    constraint approval_by_a_second_person check (status <> 'approved' or decided_by <> requested_by)
);
comment on table approval is 'What waits for a second person, or was decided by one. subject_id is the row it is about, by kind.';
create index approval_open on approval (id) where status = 'open';

create table write_off (
    id uuid primary key,
    entity_id text not null,
    customer_id uuid not null references customer,
    invoice_id uuid not null references invoice,
    currency text not null,
    amount_minor bigint not null constraint write_off_amount_positive check (amount_minor > 0),
    reason_code text not null,
    note text,
    status text not null constraint write_off_status check (
        status in ('awaiting_approval', 'written_off', 'rejected')
    ),
    requested_by text not null,
    requested_at timestamptz not null,
    approval_id uuid references approval,
    written_off_on date,
    constraint write_off_dated_when_booked check ((status = 'written_off') = (written_off_on is not null)),
    constraint write_off_waits_for_an_approval check (status = 'written_off' or approval_id is not null)
);
comment on table write_off is 'Claims given up, or asked to be; what of one still stands is in adjustment.';
create index write_off_of_invoice on write_off (invoice_id, id);

-- migrate:down
drop table write_off;
drop table approval;
