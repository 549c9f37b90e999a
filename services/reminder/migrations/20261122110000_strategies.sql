-- migrate:up
create table strategy (
    name text not null,
    version bigint not null,
    document text not null,
    published_at timestamptz not null,
    primary key (name, version),
    constraint strategy_version_from_1 check (version >= 1)
);
comment on table strategy is 'Every version of every strategy, as written. A version is never changed: running cases keep theirs.';

insert into strategy (name, version, document, published_at) values ('default', 1, $yaml$# The strategy that every installation starts with. Days count from the due date of the oldest invoice that may be
# chased; before due, from the due date the message is about.
name: default
title: Standard collection
description: >-
  One note before the due date, then five reminders from friendly to formal. From day 91 a person decides whether the
  account goes to a collection agency.

# After days that were missed, or when an old invoice becomes collectable again, the steps are climbed one by one with
# this many days between them: nobody gets a final notice without a first reminder.
catch_up:
  gap_days: 5

steps:
  - name: due-soon
    days_from_due: -7
    channel: email
    tone: friendly
    template: due-soon

  - name: first-reminder
    days_from_due: 1
    channel: email
    tone: friendly
    template: first-reminder

  - name: second-reminder
    days_from_due: 7
    channel: email
    tone: friendly
    template: second-reminder

  - name: firm-reminder
    days_from_due: 15
    channel: email
    tone: firm
    template: firm-reminder

  - name: urgent-reminder
    days_from_due: 30
    channel: email
    tone: firm
    template: urgent-reminder

  - name: final-notice
    days_from_due: 60
    channel: email
    tone: formal
    template: final-notice

  - name: agency-referral
    days_from_due: 91
    actions: [agency_referral]
$yaml$, now());

-- migrate:down
drop table strategy;
