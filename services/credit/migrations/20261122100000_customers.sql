-- migrate:up
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
    requires text[] not null default '{}',
    onboarded_at timestamptz not null,
    changed_at timestamptz not null,
    constraint customer_external_id_unique unique (external_id),
    constraint customer_version_from_1 check (version >= 1),
    constraint customer_status_known check (status in ('active', 'closed')),
    constraint customer_country_alpha_2 check (country ~ '^[A-Z]{2}$'),
    constraint customer_currency_iso_4217 check (currency ~ '^[A-Z]{3}$'),
    constraint customer_net_days_within_a_year check (net_days between 0 and 365)
);
comment on table customer is 'Who may be invoiced. Its row is locked first by everything that publishes for the customer.';

-- migrate:down
drop table customer;
