-- migrate:up
create table reply (
    id uuid primary key,
    version bigint not null,
    identity text not null,
    channel text not null,
    kind text not null,
    status text not null,
    customer_id uuid,
    entity_id text,
    case_id uuid,
    contact_id uuid,
    sender text not null,
    sender_name text not null,
    subject text not null,
    body text not null,
    attachments jsonb not null default '[]',
    attachment_count bigint not null default 0,
    received_at timestamptz not null,
    segment text,
    reason text,
    remark text,
    done_by text,
    done_on date,
    constraint reply_once unique (identity),
    constraint reply_status_known check (status in ('unmatched', 'open', 'done', 'noted')),
    constraint reply_of_an_account check (status = 'unmatched' or customer_id is not null or done_on is not null),
    constraint reply_done_by_somebody check ((status = 'done') = (done_on is not null and done_by is not null))
);
comment on table reply is 'What customers answered, and what programs did; open until a person has looked. Attachments are counted, not kept.';
comment on column reply.identity is 'Tells a repeat: a hash of Message-ID and sender, or of all of it.';
comment on column reply.segment is 'The customer''s when the reason was given.';
comment on column reply.reason is 'Why the customer pays late, from the list.';
create index reply_of_account on reply (customer_id, entity_id, id desc);
create index reply_by_status on reply (status, id desc);
create index reply_done_on on reply (done_on) where reason is not null;

create table mailbox (
    name text primary key,
    uid_validity bigint,
    last_uid bigint not null default 0,
    poll_at timestamptz not null default now(),
    trouble text
);
comment on table mailbox is 'How far an IMAP folder has been read. A folder that was made anew has another uid_validity and is read from its start.';
comment on column mailbox.poll_at is 'Real time of the next look.';
insert into mailbox (name) values ('replies');

-- migrate:down
drop table mailbox;
drop table reply;
