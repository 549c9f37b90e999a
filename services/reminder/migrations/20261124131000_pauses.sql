-- migrate:up
create table pause (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    case_id uuid not null,
    status text not null,
    reason text not null,
    note text,
    items text [] not null,
    rested_before jsonb not null,
    started_on date not null,
    until_on date not null,
    asked_by text not null,
    made_by text not null,
    ended_on date,
    ended_by text,
    ended_why text,
    look_at timestamptz,
    constraint pause_status_known check (status in ('running', 'over', 'ended')),
    constraint pause_days_in_order check (started_on <= until_on),
    constraint pause_ended_when_not_running check ((status = 'running') = (ended_on is null)),
    constraint pause_looked_at_while_running check ((status = 'running') = (look_at is not null))
);
comment on table pause is 'A time in which a customer, or some of its invoices, is left in peace because somebody asked for it.';
comment on column pause.items is 'Numbers of the invoices it is for; empty for the account as a whole.';
comment on column pause.rested_before is 'Of these invoices, the day before which each was not to be chased anyway: what stands again when the pause is ended early.';
comment on column pause.look_at is 'Business time: its last day is over.';
create unique index pause_one_running on pause (customer_id, entity_id) where status = 'running';
create index pause_look_at on pause (look_at) where look_at is not null;
create index pause_of_customer on pause (customer_id, id);

-- migrate:down
drop table pause;
