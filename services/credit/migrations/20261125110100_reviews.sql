-- migrate:up
create table follow_up (
    customer_id uuid primary key,
    due_at timestamptz not null,
    because text[] not null default '{}'
);
comment on table follow_up is
    'Customers whom the policy may want something done about, and when; empty while it does nothing but hold.';
create index follow_up_due on follow_up (due_at);

create table credit_review (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null references customer (id),
    status text not null,
    because text[] not null,
    opened_on date not null,
    opened_by text not null,
    due_on date not null,
    owner text,
    done_at timestamptz,
    done_by text,
    outcome text,
    note text,
    constraint credit_review_version_from_1 check (version >= 1),
    constraint credit_review_status_known check (status in ('open', 'done')),
    constraint credit_review_due_from_its_day check (due_on >= opened_on),
    constraint credit_review_done_by_somebody
        check ((status = 'done') = (done_at is not null and done_by is not null and outcome is not null))
);
comment on table credit_review is 'What a person is to look at, or looked at: a customer''s credit, with why and what came of it.';
create unique index credit_review_one_open on credit_review (customer_id) where status = 'open';
create index credit_review_queue on credit_review (due_on, id) where status = 'open';
create index credit_review_of_customer on credit_review (customer_id, id);

-- migrate:down
drop table credit_review;
drop table follow_up;
