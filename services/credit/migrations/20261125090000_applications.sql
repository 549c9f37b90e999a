-- migrate:up
create table application (
    id uuid primary key,
    version bigint not null,
    status text not null,
    form jsonb not null,
    parent_id uuid,
    made_at timestamptz not null,
    made_by text not null,
    submitted_at timestamptz,
    submitted_by text,
    terms jsonb,
    proposed_because text,
    proposed_by text,
    proposed_at timestamptz,
    approvers_needed integer,
    approvals jsonb not null default '[]',
    decided_by text,
    decided_at timestamptz,
    decided_because text,
    link_generation integer not null default 0,
    link_until date,
    customer_id uuid references customer (id),
    constraint application_version_from_1 check (version >= 1),
    constraint application_status_known check (status in (
        'draft', 'submitted', 'in_vetting', 'approved', 'declined', 'withdrawn', 'accepted'
    )),
    constraint application_not_its_own_parent check (parent_id <> id),
    constraint application_accepted_is_a_customer check ((status = 'accepted') = (customer_id is not null)),
    constraint application_decided_with_a_reason
        check (status not in ('approved', 'declined', 'withdrawn', 'accepted') or decided_because is not null),
    constraint application_one_a_customer unique (customer_id),
    constraint application_never_approved_by_who_proposed
        check (not jsonb_path_exists(approvals, '$[*] ? (@.by == $who)', jsonb_build_object('who', proposed_by)))
);
comment on table application is
    'A company that wants to be a customer: what it says of itself, the terms proposed, and what became of it.';
comment on column application.parent_id is 'The company it belongs to: a customer, or another application.';
comment on column application.link_generation is 'Raised to recall all links given out so far; nothing else of a link is stored.';
create index application_queue on application (id) where status in ('draft', 'submitted', 'in_vetting', 'approved');

create table applicant (
    id uuid primary key,
    country text not null,
    segment text not null
);
comment on table applicant is
    'Companies that are vetted and are no customers yet, by the id of their application.';

-- What is learned of an applicant stands under its application's id until it is a customer.
-- squawk-ignore ban-drop-constraint
alter table vetting_input drop constraint vetting_input_customer_id_fkey;
-- squawk-ignore ban-drop-constraint
alter table bureau_inquiry drop constraint bureau_inquiry_customer_id_fkey;
-- squawk-ignore ban-drop-constraint
alter table assessment drop constraint assessment_customer_id_fkey;
comment on column vetting_input.customer_id is 'A customer, or an applicant.';
comment on column bureau_inquiry.customer_id is 'A customer, or an applicant.';
comment on column assessment.customer_id is 'A customer, or an applicant; an assessment stays with whom it was made for.';

-- migrate:down
alter table assessment add constraint assessment_customer_id_fkey foreign key (customer_id) references customer (id)
    not valid;
alter table bureau_inquiry add constraint bureau_inquiry_customer_id_fkey foreign key (customer_id)
    references customer (id) not valid;
alter table vetting_input add constraint vetting_input_customer_id_fkey foreign key (customer_id)
    references customer (id) not valid;
drop table applicant;
drop table application;
