-- migrate:up
create table credit_standing (
    customer_id uuid primary key,
    version int not null,
    limit_minor bigint not null,
    currency text not null
);
comment on table credit_standing is 'What each customer may owe, as credit said last: by it is decided while credit does not answer. Events may come before the customer.';

create table credit_hold (
    id uuid primary key,
    customer_id uuid not null,
    version int not null,
    in_force boolean not null,
    held text[] not null,
    until date
);
comment on table credit_hold is 'Holds on customers, as credit said last; until: the last day, where one is known.';
create index credit_hold_of_customer on credit_hold (customer_id) where in_force;

-- migrate:down
drop table credit_hold;
drop table credit_standing;
