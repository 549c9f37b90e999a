-- migrate:up
alter table collection_case add column refused jsonb not null default '[]';
update collection_case set refused = jsonb_build_array(refused_email) where refused_email is not null;
-- squawk-ignore ban-drop-column
alter table collection_case drop column refused_email;
alter table collection_case add column under_way jsonb not null default '[]';
update collection_case set under_way = jsonb_build_array(pending) where pending is not null;
-- squawk-ignore ban-drop-column
alter table collection_case drop column pending;
-- squawk-ignore renaming-column
alter table collection_case rename column under_way to pending;
alter table collection_case add column reached boolean not null default false;
alter table collection_case add column stepped_on date;
update collection_case set stepped_on = climbed_on where climbed_on is not null;
alter table collection_case add column awaiting text;
alter table collection_case add column approved text;
alter table collection_case add column challenger text;
alter table collection_case add column arm text;
comment on column collection_case.refused is 'Addresses and numbers of the customer that do not work.';
comment on column collection_case.pending is 'The contacts under way, all of one step.';
comment on column collection_case.reached is 'Of the step whose contacts are under way, one has reached somebody.';
comment on column collection_case.stepped_on is 'When the last rung was taken or skipped, in the customer''s time zone.';
comment on column collection_case.awaiting is 'The step that waits for a person''s approval.';
comment on column collection_case.approved is 'The step that has it.';
comment on column collection_case.challenger is 'While the strategy was challenged when the episode began: by which one.';
comment on column collection_case.arm is 'The side of that trial the case is on.';

alter table contact add column provider_id text;
alter table contact add column delivered_at timestamptz;
alter table contact add column bounced_at timestamptz;
alter table contact add column bounce_reason text;
alter table contact add column complained_at timestamptz;
comment on column contact.provider_id is 'The name that whoever carried the message has for it.';
comment on column contact.bounced_at is 'Business time at which it came back: it was sent, but reached nobody.';

alter table account add column address jsonb;
alter table account add column parent_id uuid;
alter table account add column contact_parent boolean not null default false;
alter table account add column opt_outs jsonb not null default '[]';
alter table account add column risk_class text;
comment on column account.contact_parent is 'Whether messages go to the contact person of the parent company.';
comment on column account.opt_outs is 'Channels the customer does not want: all of it (invoice null), or about one invoice by number.';

alter table receivable add column settled_on date;
-- How late an account pays on average, where a strategy asks.
-- squawk-ignore require-concurrent-index-creation
create index receivable_settled_of_customer on receivable (customer_id, entity_id) where settled_on is not null;

create table touch (
    id uuid primary key,
    customer_id uuid not null,
    entity_id text not null,
    channel text not null,
    kind text not null,
    at timestamptz not null,
    source text not null,
    contact_id uuid,
    constraint touch_kind_known check (kind in ('call', 'conversation', 'other')),
    constraint touch_once_per_source unique (customer_id, kind, source)
);
comment on table touch is 'What reached a customer besides this service''s own messages: calls, conversations, other services'' messages. The contact policy counts them.';
comment on column touch.source is 'The call''s id, the event''s id ...: one touch of a kind for each.';
comment on column touch.contact_id is 'The planned call that this one was; the plan itself does not count then.';
create index touch_of_customer on touch (customer_id, at);
create index touch_of_contact on touch (contact_id) where contact_id is not null;

create table contact_policy (
    version bigint primary key,
    document text not null,
    published_at timestamptz not null,
    published_by text not null,
    constraint contact_policy_version_from_1 check (version >= 1)
);
comment on table contact_policy is 'Every version of the contact policy, as JSON. Without one the built-in policy holds.';

create table opt_out (
    id uuid primary key,
    customer_id uuid not null,
    channel text not null,
    invoice_number text,
    reason text not null,
    recorded_at timestamptz not null,
    recorded_by text not null,
    ended_at timestamptz,
    ended_by text,
    constraint opt_out_ended_by_somebody check ((ended_at is null) = (ended_by is null))
);
comment on table opt_out is 'A channel that a customer does not want to be contacted on, at all or about one invoice; kept after it ended.';
create unique index opt_out_once on opt_out (customer_id, channel, invoice_number) nulls not distinct
    where ended_at is null;

-- migrate:down
drop table opt_out;
drop table contact_policy;
drop table touch;
drop index receivable_settled_of_customer;
alter table receivable drop column settled_on;
alter table account drop column risk_class;
alter table account drop column opt_outs;
alter table account drop column contact_parent;
alter table account drop column parent_id;
alter table account drop column address;
alter table contact drop column complained_at;
alter table contact drop column bounce_reason;
alter table contact drop column bounced_at;
alter table contact drop column delivered_at;
alter table contact drop column provider_id;
alter table collection_case drop column arm;
alter table collection_case drop column challenger;
alter table collection_case drop column approved;
alter table collection_case drop column awaiting;
alter table collection_case drop column stepped_on;
alter table collection_case drop column reached;
alter table collection_case drop column pending;
alter table collection_case add column pending uuid;
alter table collection_case add column refused_email text;
alter table collection_case drop column refused;
