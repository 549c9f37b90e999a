-- migrate:up
create table note (
    id uuid primary key,
    customer_id uuid not null,
    entity_id text not null,
    author text not null,
    body text not null,
    mentions jsonb not null default '[]',
    written_at timestamptz not null,
    constraint note_says_something check (body <> '')
);
comment on table note is 'What people know of an account and write down for each other. Never sent to the customer.';
comment on column note.mentions is 'Whose attention is asked for: subjects of colleagues.';
create index note_of_customer on note (customer_id, entity_id, id desc);

create table follower (
    customer_id uuid not null,
    entity_id text not null,
    subject text not null,
    since timestamptz not null,
    primary key (customer_id, entity_id, subject)
);
comment on table follower is 'Colleagues of sales and service who follow an account and get its digest.';
create index follower_by_subject on follower (subject);

-- migrate:down
drop table follower;
drop table note;
