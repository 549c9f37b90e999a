-- migrate:up
create table collection_case (
    customer_id uuid primary key,
    id uuid not null,
    version bigint not null,
    entity_id text not null,
    status text not null,
    episode bigint not null,
    strategy text not null,
    strategy_version bigint not null,
    level bigint not null,
    step text,
    opened_on date,
    closed_on date,
    closed_because text,
    climbed_on date,
    rest_until date,
    noticed jsonb not null,
    blocked_step text,
    refused_email text,
    pending uuid,
    check_at timestamptz,
    constraint collection_case_id_unique unique (id),
    constraint collection_case_status_known check (status in ('open', 'closed')),
    constraint collection_case_open_in_an_episode check (status = 'closed' or episode >= 1)
);
comment on table collection_case is 'A customer''s collection case. Episode 0: nothing of the customer was ever overdue.';
comment on column collection_case.level is 'How many rungs of the strategy this episode has climbed.';
comment on column collection_case.rest_until is 'No contact before this day, in the customer''s time zone.';
comment on column collection_case.noticed is 'Due dates, not yet past, that a message before due has been decided for.';
comment on column collection_case.blocked_step is 'The rung that could not be delivered because the customer has no working address.';
comment on column collection_case.pending is 'The contact under way.';
comment on column collection_case.check_at is 'Business time of the next decision; null when only an event can bring one.';
create index collection_case_check_at on collection_case (check_at) where check_at is not null;

-- migrate:down
drop table collection_case;
