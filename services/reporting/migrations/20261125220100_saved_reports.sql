-- migrate:up
create table notice_attachment (
    id uuid primary key,
    name text not null,
    media_type text not null,
    content bytea not null
);
comment on table notice_attachment is 'A file that goes with mails, kept until none of them is under way.';

alter table notice add column attachment_id uuid;
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
alter table notice add constraint notice_attachment_kept foreign key (attachment_id) references notice_attachment (id)
    on delete set null;
-- squawk-ignore require-concurrent-index-creation
create index notice_of_attachment on notice (attachment_id) where attachment_id is not null;

create table saved_report (
    id uuid primary key,
    version bigint not null,
    name text not null,
    report text not null,
    format text not null,
    parameters jsonb not null,
    recipients text[] not null,
    schedule jsonb,
    active boolean not null,
    created_by text not null,
    created_at timestamptz not null,
    next_due_at timestamptz,
    constraint saved_report_format_known check (format in ('csv', 'xlsx', 'pdf')),
    constraint saved_report_due_by_schedule check ((schedule is null) = (next_due_at is null)),
    constraint saved_report_scheduled_for_somebody check (schedule is null or cardinality(recipients) > 0)
);
comment on table saved_report is 'A report with what is asked of it, and to whom it is mailed when.';
comment on column saved_report.schedule is 'Every week or month, on which day, hour (UTC) and in which country''s business days; null for none.';
create index saved_report_due on saved_report (next_due_at) where active and next_due_at is not null;

create table saved_report_run (
    id uuid primary key,
    saved_report_id uuid not null references saved_report (id) on delete cascade,
    due_at timestamptz,
    made_at timestamptz not null,
    made_by text not null,
    as_of date not null,
    file_name text,
    bytes bigint,
    recipients text[] not null,
    fault text,
    constraint saved_report_run_once unique (saved_report_id, due_at),
    constraint saved_report_run_made_or_not check ((file_name is null) = (fault is not null))
);
comment on table saved_report_run is 'Each time a saved report was mailed, or why not.';
comment on column saved_report_run.due_at is 'The moment of its schedule; null when somebody had it sent.';

-- migrate:down
drop table saved_report_run;
drop table saved_report;
alter table notice drop column attachment_id;
drop table notice_attachment;
