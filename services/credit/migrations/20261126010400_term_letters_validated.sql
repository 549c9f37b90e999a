-- migrate:up
alter table limit_letter validate constraint limit_letter_about_limit_or_terms;

-- migrate:down
