-- migrate:up
create table clock (
    singleton boolean primary key default true check (singleton),
    now timestamptz not null,
    ticked timestamptz
);
comment on table clock is 'Simulated business time (SIMULATION=1 only); ticked = the time whose due work is done.';

-- migrate:down
drop table clock;
