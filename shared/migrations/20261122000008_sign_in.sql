-- migrate:up
create table sign_in_link (
    id text primary key,
    expires_at timestamptz not null
);
comment on table sign_in_link is 'One-time sign-in links that have been used; a row outlives its link by a day.';

-- migrate:down
drop table sign_in_link;
