-- migrate:up
create table terms_change (
    customer_id uuid primary key,
    net_days integer not null,
    prepaid_percent integer not null,
    deposit_minor bigint,
    deposit_currency text,
    noted_at timestamptz not null,
    constraint terms_change_deposit_in_full check ((deposit_minor is null) = (deposit_currency is null))
);
comment on table terms_change is
    'Customers to be written about their terms, with what they were before; empty while the policy has nobody written to.';
create index terms_change_due on terms_change (noted_at);

-- squawk-ignore ban-drop-not-null
alter table limit_letter alter account_version drop not null, alter limit_minor drop not null, alter currency drop not null;
alter table limit_letter
    add column customer_version bigint,
    add column terms_before jsonb,
    add column terms jsonb;
alter table limit_letter add constraint limit_letter_about_limit_or_terms check (
    num_nonnulls(account_version, limit_minor, currency) = 3 and num_nonnulls(customer_version, terms_before, terms) = 0
    or num_nonnulls(account_version, limit_minor, currency) = 0 and num_nonnulls(customer_version, terms_before, terms) = 3
) not valid;
comment on column limit_letter.customer_version is
    'The change of the customer''s terms that it tells of; a letter about a limit tells of a version of the account.';
-- squawk-ignore require-concurrent-index-creation
create unique index limit_letter_one_a_change_of_terms on limit_letter (customer_id, customer_version)
    where repeat_of is null;

-- migrate:down
drop index limit_letter_one_a_change_of_terms;
delete from limit_letter where terms is not null;
alter table limit_letter
    drop constraint limit_letter_about_limit_or_terms,
    drop column terms,
    drop column terms_before,
    drop column customer_version,
    alter column account_version set not null,
    alter column limit_minor set not null,
    alter column currency set not null;
drop table terms_change;
