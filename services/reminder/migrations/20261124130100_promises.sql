-- migrate:up
create table promise (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    case_id uuid not null,
    status text not null,
    origin text not null,
    currency text not null,
    amount_minor bigint not null,
    paid_minor bigint not null,
    items text [] not null,
    made_on date not null,
    promised_on date not null,
    grace_until date not null,
    made_by text not null,
    note text,
    reference text,
    ended_on date,
    because text,
    look_at timestamptz,
    constraint promise_status_known
    check (status in ('open', 'kept', 'broken', 'withdrawn', 'replaced', 'lapsed')),
    constraint promise_origin_known check (origin in ('staff', 'customer', 'offer')),
    constraint promise_of_something check (amount_minor > 0 and paid_minor >= 0),
    constraint promise_days_in_order check (made_on <= promised_on and promised_on <= grace_until),
    constraint promise_ended_when_over check ((status = 'open') = (ended_on is null)),
    constraint promise_looked_at_while_open check ((status = 'open') = (look_at is not null))
);
comment on table promise is 'What a customer said it will pay, by when, and what has come in of it since.';
comment on column promise.items is 'Numbers of the invoices it is for; empty for the account as a whole.';
comment on column promise.paid_minor is 'The changes of invoices by payments that count from the day it was made on, added up as they are heard.';
comment on column promise.reference is 'What brought it: the correlation of a promise made on the customer''s page, or an offer''s id.';
comment on column promise.look_at is 'Business time: the days of grace are over.';
create index promise_look_at on promise (look_at) where look_at is not null;
create index promise_open_of_customer on promise (customer_id) where status = 'open';
create index promise_of_customer on promise (customer_id, id);

-- migrate:down
drop table promise;
