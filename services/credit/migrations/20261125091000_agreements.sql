-- migrate:up
create table agreement (
    id uuid primary key,
    application_id uuid not null references application (id),
    version integer not null,
    external_id text not null,
    language text not null,
    terms jsonb not null,
    seller jsonb not null,
    pdf bytea not null,
    sha256 text not null,
    made_at timestamptz not null,
    made_by text not null,
    accepted_on date,
    accepted_by text,
    accepted_through text,
    recorded_at timestamptz,
    recorded_by text,
    constraint agreement_version_from_1 check (version >= 1),
    constraint agreement_one_of_each_version unique (application_id, version),
    constraint agreement_sha256_is_one check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint agreement_accepted_by_somebody
        check (num_nulls(accepted_on, accepted_by, accepted_through, recorded_at, recorded_by) in (0, 5)),
    constraint agreement_accepted_through_known check (accepted_through in ('page', 'staff'))
);
comment on table agreement is
    'Terms as they were written out for a customer to accept: the very PDF, its hash, and who accepted it when.';
comment on column agreement.accepted_by is 'The person at the customer; recorded_by is who put it down here.';
create unique index agreement_accepted_once on agreement (application_id) where accepted_on is not null;

create table onboarding_mail (
    id uuid primary key,
    application_id uuid not null references application (id),
    kind text not null,
    agreement_id uuid references agreement (id),
    recipient text not null,
    recipient_name text not null,
    sender_name text not null,
    subject text not null,
    plain text not null,
    html text not null,
    planned_at timestamptz not null,
    planned_by text not null,
    status text not null,
    attempts integer not null default 0,
    retry_at timestamptz,
    lease_until timestamptz,
    ended_at timestamptz,
    reason text,
    constraint onboarding_mail_kind_known check (kind in ('invitation', 'terms', 'welcome')),
    constraint onboarding_mail_status_known check (status in ('planned', 'sending', 'sent', 'refused', 'unknown')),
    constraint onboarding_mail_leased_while_sending check ((status = 'sending') = (lease_until is not null)),
    constraint onboarding_mail_terms_are_of_an_agreement check ((kind = 'invitation') = (agreement_id is null))
);
comment on table onboarding_mail is
    'Mails to applicants as they were written: the row comes before the mail, its outcome after; never sent twice.';
comment on column onboarding_mail.retry_at is 'Real time before which it is not tried again; null: at once.';
comment on column onboarding_mail.lease_until is
    'Real time until which it counts as under way; after that its fate is unknown, and it is not repeated.';
create index onboarding_mail_under_way on onboarding_mail (planned_at) where status in ('planned', 'sending');
create index onboarding_mail_of_application on onboarding_mail (application_id, id);

-- migrate:down
drop table onboarding_mail;
drop table agreement;
