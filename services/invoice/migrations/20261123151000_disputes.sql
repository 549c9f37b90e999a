-- migrate:up
alter table dispute
    add column version int not null default 1,
    add column code text not null default 'other',
    add column lines int[] not null default '{}',
    add column opened_by text not null default 'staff',
    add column owner text,
    add column answer_by date,
    add column escalated_on date,
    add column escalate_at timestamptz,
    add column acknowledgement text not null default 'none',
    add column resolution_note text,
    add column accepted_minor bigint,
    add column credit_note_id uuid,
    add column collect_again_on date,
    add constraint dispute_opened_by check (opened_by in ('staff', 'customer')) not valid,
    add constraint dispute_acknowledgement check (acknowledgement in ('none', 'wanted', 'sent')) not valid,
    add constraint dispute_escalates_while_open check (
        escalate_at is null or (status = 'open' and escalated_on is null)
    ) not valid,
    add constraint dispute_accepted_with_its_credit check (
        (status = 'accepted') = (accepted_minor is not null)
        and (accepted_minor is not null or credit_note_id is null)
        and accepted_minor between 1 and amount_minor
    ) not valid;
comment on column dispute.reason is 'What the customer says; code is what it is counted under.';
comment on column dispute.answer_by is 'The day by which the seller should have answered; after it the dispute is escalated.';
comment on column dispute.escalate_at is 'When the tick escalates it; null once it has, or when there is nothing to escalate.';
comment on column dispute.collect_again_on is 'What was held back is not chased before this day.';

-- squawk-ignore require-concurrent-index-creation
create index dispute_escalate_at on dispute (escalate_at) where escalate_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index dispute_to_acknowledge on dispute (id) where acknowledgement = 'wanted';
-- squawk-ignore require-concurrent-index-creation
create index dispute_by_opening on dispute (opened_on);

create table dispute_share (
    dispute_id uuid not null references dispute,
    position int not null,
    product_code text,
    seller_code text,
    amount_minor bigint not null,
    primary key (dispute_id, position)
);
comment on table dispute_share is 'A disputed amount by the lines of its invoice, as they were sold: what disputes are counted by.';

create table dispute_message (
    id uuid primary key,
    dispute_id uuid not null references dispute,
    author text not null,
    from_customer boolean not null,
    body text not null,
    written_at timestamptz not null
);
create index dispute_message_of on dispute_message (dispute_id, id);

create table dispute_attachment (
    id uuid primary key,
    dispute_id uuid not null references dispute,
    name text not null,
    media_type text not null,
    size_bytes int not null constraint dispute_attachment_size check (size_bytes between 1 and 5242880),
    sha256 bytea not null,
    content bytea not null,
    author text not null,
    from_customer boolean not null,
    added_at timestamptz not null,
    constraint dispute_attachment_once unique (dispute_id, sha256)
);

-- migrate:down
drop table dispute_attachment;
drop table dispute_message;
drop table dispute_share;
alter table dispute
    drop column version, drop column code, drop column lines, drop column opened_by, drop column owner,
    drop column answer_by, drop column escalated_on, drop column escalate_at, drop column acknowledgement,
    drop column resolution_note, drop column accepted_minor, drop column credit_note_id, drop column collect_again_on;
