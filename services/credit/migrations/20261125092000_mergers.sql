-- migrate:up
alter table customer add column merged_into uuid;
comment on column customer.merged_into is 'Who a closed customer goes on as.';
alter table customer add constraint customer_merged_is_closed
    check (merged_into is null or (status = 'closed' and merged_into <> id)) not valid;

create table merger (
    customer_id uuid primary key references customer (id),
    into_id uuid not null references customer (id),
    reason text not null,
    merged_by text not null,
    merged_at timestamptz not null,
    moved jsonb not null,
    constraint merger_of_two check (customer_id <> into_id)
);
comment on table merger is 'Customers that go on as another: who said so, why, and what was moved.';
create index merger_into on merger (into_id);

-- migrate:down
drop table merger;
alter table customer drop constraint customer_merged_is_closed;
alter table customer drop column merged_into;
