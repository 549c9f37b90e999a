-- migrate:up
create table assigned_seller (
    company_id uuid primary key,
    version bigint not null,
    entity_id text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint assigned_seller_version_from_1 check (version >= 1)
);
comment on table assigned_seller is 'In whose name a customer, or an applicant by its application, is written to; without a row, the default selling entity.';

alter table onboarding_mail add column reply_to text;
comment on column onboarding_mail.reply_to is 'Where answers go: whom the selling entity names as its contact.';

-- migrate:down
alter table onboarding_mail drop column reply_to;
drop table assigned_seller;
