-- migrate:up
create table inbox (
    consumer text not null,
    source text not null,
    event_id uuid not null,
    claimed_at timestamptz not null default now(),
    primary key (consumer, source, event_id)
);
comment on table inbox is 'Events that took effect here; kept at least as long as the publishers keep their event_log.';

create table consumer_progress (
    consumer text not null,
    topic text not null,
    partition int not null,
    n bigint not null,
    primary key (consumer, topic, partition)
);
comment on table consumer_progress is 'Events claimed for the first time, counted in the transaction that applies them.';

create table parked_event (
    id bigint generated always as identity primary key,
    consumer text not null,
    key uuid not null,
    source text not null,
    event_id uuid not null,
    type text not null,
    topic text not null,
    partition int not null,
    message_offset bigint not null,
    headers json not null,
    value bytea not null,
    status text not null default 'parked' check (status in ('parked', 'applied', 'skipped')),
    reason text not null,
    attempts int not null default 0,
    parked_at timestamptz not null default now(),
    next_retry_at timestamptz not null,
    closed_at timestamptz,
    closed_by text,
    closed_reason text,
    unique (consumer, source, event_id)
);
comment on table parked_event is 'Events a handler failed on, and all later ones of their key, waiting in order.';
create index parked_event_waiting on parked_event (consumer, key, id) where status = 'parked';

-- migrate:down
drop table parked_event;
drop table consumer_progress;
drop table inbox;
