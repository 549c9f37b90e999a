-- migrate:up
create table call (
    id uuid primary key,
    customer_id uuid not null,
    entity_id text not null,
    caller text not null,
    direction text not null,
    outcome text not null,
    person text,
    number text,
    reason text,
    note text,
    contact_id uuid,
    call_back_on date,
    called_at timestamptz not null,
    constraint call_direction_known check (direction in ('out', 'in')),
    constraint call_outcome_known
        check (outcome in ('spoke', 'left_message', 'no_answer', 'wrong_number', 'refused'))
);
comment on table call is 'A conversation by telephone, or the attempt at one, as whoever made it wrote it down.';
comment on column call.reason is 'Why the customer pays late, by its own word; from the list of late payment reasons.';
comment on column call.contact_id is 'The planned call that this one was.';
create index call_of_account on call (customer_id, entity_id, id desc);

-- migrate:down
drop table call;
