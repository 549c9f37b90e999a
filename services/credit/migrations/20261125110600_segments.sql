-- migrate:up
create table segmentation (
    version bigint primary key,
    document text not null,
    active boolean not null,
    published_at timestamptz not null,
    published_by text not null,
    constraint segmentation_version_from_1 check (version >= 1)
);
comment on table segmentation is 'Rules for segments, every version as it was written; none come with the service.';

create table segment_pin (
    customer_id uuid primary key references customer (id),
    reason text not null,
    pinned_by text not null,
    pinned_at timestamptz not null
);
comment on table segment_pin is 'Customers whose segment a person chose; rules leave them there.';

-- migrate:down
drop table segment_pin;
drop table segmentation;
