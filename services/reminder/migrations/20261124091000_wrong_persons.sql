-- migrate:up
create table wrong_person (
    contact_id uuid primary key,
    customer_id uuid not null,
    entity_id text not null,
    address text not null,
    right_name text,
    right_email text,
    note text,
    told_at timestamptz not null
);
comment on table wrong_person is 'Who got a message and said that it is for somebody else; what they wrote first stands.';
comment on column wrong_person.right_email is 'Named by a stranger: nothing goes there before a person has looked.';
create index wrong_person_of_customer on wrong_person (customer_id, told_at desc);

-- migrate:down
drop table wrong_person;
