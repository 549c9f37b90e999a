-- migrate:up
create table contact_settlement (
    contact_id uuid primary key,
    arrived boolean not null,
    note text,
    settled_by text not null,
    settled_at timestamptz not null,
    repeated_by uuid,
    not_repeated_because text,
    constraint contact_settlement_repeats_once unique (repeated_by),
    constraint contact_settlement_arrived_is_not_repeated check (not arrived or repeated_by is null)
);
comment on table contact_settlement is 'What a person found out about a message that was in doubt.';
comment on column contact_settlement.repeated_by is 'The contact by which it is sent once more, because it did not arrive.';

-- migrate:down
drop table contact_settlement;
