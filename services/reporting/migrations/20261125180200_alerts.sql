-- migrate:up
create table alert_rule (
    id uuid primary key,
    version bigint not null,
    name text not null,
    metric text not null,
    currency text not null,
    customer_id uuid,
    window_days bigint not null,
    largest bigint not null,
    condition jsonb not null,
    targets jsonb not null,
    country text,
    active boolean not null,
    created_by text not null,
    created_at timestamptz not null,
    next_due_at timestamptz not null,
    evaluated_on date,
    fault text,
    constraint alert_rule_evaluated_or_faulty check (fault is null or evaluated_on is not null)
);
comment on table alert_rule is 'What somebody wants to be told of, and where.';
comment on column alert_rule.country is 'Its public holidays are no business days; null for weekends alone.';
comment on column alert_rule.fault is 'Why the last evaluation failed.';
create index alert_rule_due on alert_rule (next_due_at) where active;

create table alert_reading (
    rule_id uuid not null references alert_rule on delete cascade,
    subject text not null,
    on_day date not null,
    value numeric,
    score numeric,
    primary key (rule_id, subject, on_day)
);
comment on table alert_reading is 'What was measured at the end of a day, as it was known when the rule was evaluated.';
comment on column alert_reading.subject is 'A customer''s id; empty where the figure is of the whole.';

create table alert (
    id uuid primary key,
    version bigint not null,
    rule_id uuid not null references alert_rule on delete cascade,
    subject text not null,
    subject_name text,
    opened_on date not null,
    value numeric not null,
    score numeric,
    cleared_on date,
    cleared_value numeric,
    acknowledged_by text,
    acknowledged_at timestamptz,
    note text,
    constraint alert_acknowledged_by_somebody check ((acknowledged_by is null) = (acknowledged_at is null))
);
comment on table alert is 'An episode: told once when it begins and once when it ends.';
create unique index alert_open on alert (rule_id, subject) where cleared_on is null;
create index alert_of_rule on alert (rule_id);

-- migrate:down
drop table alert;
drop table alert_reading;
drop table alert_rule;
