-- migrate:up
alter table customer validate constraint customer_prepaid_is_a_share;
alter table customer validate constraint customer_deposit_in_full;
alter table customer validate constraint customer_terms_source_known;

-- migrate:down
