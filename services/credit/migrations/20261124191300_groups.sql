-- migrate:up
create table credit_group (
    customer_id uuid primary key references customer (id),
    version bigint not null,
    currency text not null,
    limit_minor bigint not null,
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint credit_group_limit_not_negative check (limit_minor >= 0),
    constraint credit_group_version_from_1 check (version >= 1)
);
comment on table credit_group is
    'What a company and all that belong to it may owe together; named by the company at the top.';
-- squawk-ignore require-concurrent-index-creation
create index customer_by_parent on customer (parent_id) where parent_id is not null;

-- migrate:down
drop index customer_by_parent;
drop table credit_group;
