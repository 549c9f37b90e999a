-- migrate:up
create table contact (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    case_id uuid not null,
    entity_id text not null,
    episode text not null,
    step text not null,
    channel text not null,
    strategy text not null,
    strategy_version bigint not null,
    tone text not null,
    template text not null,
    status text not null,
    reason text,
    invoices jsonb not null,
    amounts jsonb not null,
    recipient text,
    due_at timestamptz not null,
    sent_at timestamptz,
    attempts bigint not null default 0,
    retry_at timestamptz,
    lease_until timestamptz,
    constraint contact_status_known
        check (status in ('planned', 'sending', 'sent', 'suppressed', 'failed', 'unknown')),
    constraint contact_suppressed_for_a_reason check (status <> 'suppressed' or reason is not null),
    constraint contact_sent_at_a_time check ((status = 'sent') = (sent_at is not null)),
    constraint contact_sending_on_a_lease check ((status = 'sending') = (lease_until is not null))
);
comment on table contact is 'A message to a customer, or the recorded decision to send none; its row is written before anything leaves.';
comment on column contact.episode is 'The case''s episode number, or due-<date> for a message before due.';
comment on column contact.due_at is 'Business time from which it may go out.';
comment on column contact.retry_at is 'Real time: a temporary refusal is tried again then.';
comment on column contact.lease_until is 'Real time: after it, whoever was sending is gone and nobody knows whether the mail left.';

-- At most one reminder of a step in an episode, also across strategy versions. What was suppressed or refused for good
-- reached nobody and does not count.
create unique index contact_once_per_step on contact (customer_id, entity_id, episode, step, channel)
    where status in ('planned', 'sending', 'sent', 'unknown');
create index contact_under_way on contact (due_at) where status in ('planned', 'sending');
create index contact_of_customer on contact (customer_id, id desc);

-- migrate:down
drop table contact;
