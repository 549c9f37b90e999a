-- migrate:up
create table entity (
    id text primary key,
    version int not null default 1,
    name text not null,
    time_zone text not null,
    currency text not null constraint entity_currency check (currency ~ '^[A-Z]{3}$'),
    credit_policy text not null constraint entity_credit_policy check (credit_policy in ('off', 'advise', 'enforce'))
);
comment on table entity is 'Selling entities: in whose name invoices are issued.';

create table number_series (
    entity_id text primary key references entity,
    prefix text not null,
    next_number bigint not null default 1 constraint number_series_from_one check (next_number >= 1)
);
comment on table number_series is 'The next gapless invoice number; its row stays locked until the issuing transaction ends.';

insert into entity (id, name, time_zone, currency, credit_policy) values ('default', 'Dueward', 'UTC', 'EUR', 'advise');
insert into number_series (entity_id, prefix) values ('default', 'DW-');

create table customer (
    id uuid primary key,
    version bigint not null,
    external_id text not null,
    name text not null,
    status text not null,
    country text not null,
    language text not null,
    time_zone text not null,
    currency text not null,
    segment text not null,
    net_days int not null,
    contacts jsonb not null
);
comment on table customer is 'A copy of what credit says about each customer, kept by version. Its row is the lock of the account: every write locks it first.';
create index customer_external_id on customer (external_id);

-- migrate:down
drop table customer;
drop table number_series;
drop table entity;
