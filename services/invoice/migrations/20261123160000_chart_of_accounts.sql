-- migrate:up
create table chart_of_accounts (
    entity_id text primary key references entity,
    version int not null constraint chart_of_accounts_version_from_1 check (version >= 1),
    accounts jsonb not null
);
comment on table chart_of_accounts is 'What an entity''s general ledger calls the accounts of the journal, where it is not the default: account -> [code, name].';

-- migrate:down
drop table chart_of_accounts;
