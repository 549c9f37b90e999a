-- migrate:up
create table rebuild (
    id bigint generated always as identity primary key,
    wanted_by text not null,
    wanted_at timestamptz not null default now(),
    reached_seq bigint,
    events bigint not null default 0,
    finished_at timestamptz
);
comment on table rebuild is 'Each time the read models were made again from the events.';
comment on column rebuild.reached_seq is 'The last event taken into the tables beside the ones in use; null before the first.';
create unique index rebuild_one_at_a_time on rebuild ((true)) where finished_at is null;

-- Tables that were dropped or emptied by an earlier migration are filled again by the worker.
insert into rebuild (wanted_by) select 'migration' where exists (select from event);

-- migrate:down
drop table rebuild;
