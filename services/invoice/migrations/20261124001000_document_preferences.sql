-- migrate:up
create table document_preference (
    customer_id uuid not null references customer,
    entity_id text not null references entity,
    version int not null constraint document_preference_version check (version > 0),
    statements text constraint document_preference_rhythm check (statements in ('never', 'weekly', 'monthly')),
    paper boolean not null,
    period_first date,
    next_at timestamptz,
    primary key (customer_id, entity_id),
    constraint document_preference_scheduled check (
        num_nulls(period_first, next_at) = case when statements in ('weekly', 'monthly') then 0 else 2 end
    )
);
comment on table document_preference is 'What a customer wants sent, and how, where that is not what the entity does for everybody.';
comment on column document_preference.statements is 'Null: as the entity sends them.';
comment on column document_preference.next_at is 'When the statement over the period from period_first is made.';
create index document_preference_next_at on document_preference (next_at) where next_at is not null;

-- migrate:down
drop table document_preference;
