-- migrate:up
create table credit_policy (
    version bigint primary key,
    limits jsonb not null,
    changed_at timestamptz,
    changed_by text,
    constraint credit_policy_version_from_1 check (version >= 1)
);
comment on table credit_policy is 'Every version of the credit policy; the highest is in force. Version 1 came with the service.';

-- About 50,000 euros, in round figures of each currency.
insert into credit_policy (version, limits)
select 1, jsonb_agg(jsonb_build_object('segment', null, 'limit', jsonb_build_object('amount', amount, 'currency', currency)))
from (values
    ('AED', '200000.00'), ('AUD', '80000.00'), ('BGN', '100000.00'), ('BRL', '250000.00'), ('CAD', '75000.00'),
    ('CHF', '50000.00'), ('CLP', '50000000'), ('CNY', '400000.00'), ('CZK', '1250000.00'), ('DKK', '375000.00'),
    ('EUR', '50000.00'), ('GBP', '45000.00'), ('HKD', '400000.00'), ('HUF', '20000000.00'), ('ILS', '200000.00'),
    ('INR', '4500000.00'), ('JPY', '8000000'), ('KRW', '70000000'), ('KWD', '15000.000'), ('MXN', '1000000.00'),
    ('NOK', '600000.00'), ('NZD', '90000.00'), ('PLN', '200000.00'), ('RON', '250000.00'), ('SAR', '200000.00'),
    ('SEK', '600000.00'), ('SGD', '75000.00'), ('TRY', '2000000.00'), ('USD', '50000.00'), ('ZAR', '1000000.00')
) as shipped (currency, amount);

create table credit_account (
    id uuid primary key,
    customer_id uuid not null references customer (id),
    version bigint not null,
    currency text not null,
    limit_minor bigint not null,
    source text not null,
    reason text not null,
    policy_version bigint not null references credit_policy (version),
    changed_at timestamptz not null,
    constraint credit_account_one_a_customer unique (customer_id),
    constraint credit_account_version_from_1 check (version >= 1),
    constraint credit_account_limit_not_negative check (limit_minor >= 0),
    constraint credit_account_source_known check (source in ('policy', 'manual'))
);
comment on table credit_account is 'What each customer may owe, in the customer''s own currency, and who says so.';
comment on column credit_account.policy_version is 'The newest policy this limit was held against.';
create index credit_account_by_policy on credit_account (policy_version) where source = 'policy';

-- migrate:down
drop table credit_account;
drop table credit_policy;
