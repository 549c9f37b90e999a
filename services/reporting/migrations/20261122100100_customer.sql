-- migrate:up
create table customer (
    id uuid primary key,
    version bigint not null,
    external_id text not null,
    name text not null,
    status text not null,
    country text not null,
    currency text not null,
    segment text not null,
    net_days integer not null
);
comment on table customer is 'The newest state of each customer as credit published it.';

-- migrate:down
drop table customer;
