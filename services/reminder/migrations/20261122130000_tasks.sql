-- migrate:up
create table task (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    case_id uuid not null,
    entity_id text not null,
    kind text not null,
    occasion text not null,
    title text not null,
    detail text not null,
    status text not null default 'open',
    due_on date not null,
    assigned_at timestamptz not null,
    constraint task_status_known check (status in ('open', 'done')),
    constraint task_once_per_occasion unique (customer_id, kind, occasion)
);
comment on table task is 'Something a person has to decide or find out for a customer.';
comment on column task.occasion is 'What it is about, such as the case''s episode or a contact: one task of a kind for each.';
create index task_by_status on task (status, id);

-- migrate:down
drop table task;
