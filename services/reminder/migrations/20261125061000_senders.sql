-- migrate:up
create table sender (
    entity_id text primary key,
    version bigint not null,
    from_name text,
    from_address text,
    reply_to text,
    lines text[] not null,
    constraint sender_lines_few check (cardinality(lines) <= 6)
);
comment on table sender is 'How a selling entity appears in its messages, where it has said so.';
comment on column sender.lines is 'What stands below the signature of whoever signs, or in its place.';

-- migrate:down
drop table sender;
