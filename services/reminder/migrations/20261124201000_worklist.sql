-- migrate:up
create table looked_after (
    customer_id uuid not null,
    entity_id text not null,
    owner text,
    snoozed_until date,
    snoozed_by text,
    snoozed_because text,
    primary key (customer_id, entity_id),
    constraint looked_after_snoozed_by_somebody check ((snoozed_until is null) = (snoozed_by is null))
);
comment on table looked_after is 'Whose an account is to look after, and until when it stays out of the worklist.';
comment on column looked_after.snoozed_until is 'The first day on which it is seen again.';
create index looked_after_by_owner on looked_after (owner) where owner is not null;

-- migrate:down
drop table looked_after;
