-- Lists: pages of their members by when they joined, and how many of them are live.

create index segment_member_by_time on segment_member (account_id, segment_id, since, contact_id);

-- Few contacts are removed, retired or erased: members of a list less those of them are counted, and
-- walked past, without reading the card of every member.
create index contact_not_live on contact (account_id, contact_id) where status <> 0;
