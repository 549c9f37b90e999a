-- migrate:up
create table entity (
    id text primary key,
    version int not null default 1,
    name text not null,
    time_zone text not null,
    currency text not null constraint entity_currency check (currency ~ '^[A-Z]{3}$'),
    credit_policy text not null constraint entity_credit_policy check (credit_policy in ('off', 'advise', 'enforce')),
    seller jsonb not null default '{}',
    policies jsonb not null default '{}'
);
comment on column entity.seller is 'Who it is on documents; entities/rules.py: Seller.';
comment on column entity.policies is 'What it does by itself, as far as it is not the default; entities/rules.py: Policies.';
comment on table entity is 'Selling entities: in whose name invoices are issued.';

create table number_series (
    entity_id text not null references entity,
    kind text not null constraint number_series_kind check (kind in ('invoice', 'credit_note')),
    prefix text not null constraint number_series_prefix_unique unique,
    next_number bigint not null default 1 constraint number_series_from_one check (next_number >= 1),
    primary key (entity_id, kind)
);
comment on table number_series is 'The next gapless number of a kind of document; its row stays locked until the issuing transaction ends.';

insert into entity (id, name, time_zone, currency, credit_policy) values ('default', 'Dueward', 'UTC', 'EUR', 'advise');
insert into number_series (entity_id, kind, prefix)
values ('default', 'invoice', 'DW-'), ('default', 'credit_note', 'DWC-');

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
    contacts jsonb not null,
    address jsonb,
    vat_id text,
    buyer_reference text,
    requires text[] not null default '{}'
);
comment on table customer is 'A copy of what credit says about each customer, kept by version. Its row is the lock of the account: every write locks it first.';
create index customer_external_id on customer (external_id);

-- migrate:down
drop table customer;
drop table number_series;
drop table entity;
