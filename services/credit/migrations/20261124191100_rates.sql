-- migrate:up
create table fx_rates (
    on_date date primary key,
    version bigint not null,
    rates jsonb not null,
    source text not null,
    imported_at timestamptz not null,
    constraint fx_rates_version_from_1 check (version >= 1)
);
comment on table fx_rates is 'A day''s reference rates: what one euro costs, as decimal text by currency.';

-- migrate:down
drop table fx_rates;
