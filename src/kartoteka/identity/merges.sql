-- name: merge
-- A merge, whether it was undone; primary key, identity_history_undone.
select h.history_id, h.contact_id, h.other_contact_id, h.snapshot,
       exists (
           select from identity_history u
           where u.account_id = %(account_id)s
             and u.undoes = h.history_id
       )
from identity_history h
where h.account_id = %(account_id)s
  and h.history_id = %(merge_id)s
  and h.action = 'absorbed'

-- name: later_merges
-- Merges that its survivor took part in since, and that stand: they must be undone first. Both indexes
-- by contact, in a young table too (update_contacts).
select l.history_id
from (
    select history_id, contact_id
    from identity_history
    where account_id = %(account_id)s
      and history_id between %(merge_id)s and %(merge_id)s
    order by history_id
    limit 1
) m
cross join lateral (
    (
        select history_id, action
        from identity_history
        where account_id = %(account_id)s
          and contact_id between m.contact_id and m.contact_id
        order by contact_id
    )
    union all
    (
        select history_id, action
        from identity_history
        where account_id = %(account_id)s
          and other_contact_id between m.contact_id and m.contact_id
        order by other_contact_id
    )
) l
left join lateral (
    select undoes
    from identity_history
    where account_id = %(account_id)s
      and undoes between l.history_id and l.history_id
    order by undoes
    limit 1
) u on true
where l.history_id > m.history_id
  and l.action = 'absorbed'
  and u.undoes is null
order by l.history_id

-- name: absorbed_by
-- The card that a merge absorbed, and those that had been merged into it; index contact_by_survivor, in a
-- young table too (update_contacts).
with recursive person as (
    (
        select other_contact_id as contact_id
        from identity_history
        where account_id = %(account_id)s
          and history_id between %(merge_id)s and %(merge_id)s
        order by history_id
        limit 1
    )
    union
    select c.contact_id
    from person p
    cross join lateral (
        select contact_id
        from contact
        where account_id = %(account_id)s
          and merged_into between p.contact_id and p.contact_id
        order by merged_into
    ) c
)
select contact_id
from person

-- name: words_since
-- What requests said to the survivor of a merge since, in order, or to all whom it was merged with in
-- between; index identity_history_said, identity_history_by_contact, in a young table too (update_contacts).
with merge as (
    select history_id, contact_id
    from identity_history
    where account_id = %(account_id)s
      and history_id between %(merge_id)s and %(merge_id)s
    order by history_id
    limit 1
)
select w.history_id, w.at, w.request_id, w.key_id, w.method, w.snapshot
from merge m
cross join lateral (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id between m.contact_id and m.contact_id
      and action = 'said'
    order by contact_id, history_id
) w
where w.history_id > m.history_id
union all
select w.history_id, w.at, w.request_id, w.key_id, w.method, w.snapshot
from merge m
cross join lateral (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id between m.contact_id and m.contact_id
    order by contact_id
) u
cross join lateral (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id between u.other_contact_id and u.other_contact_id
      and action = 'said'
    order by contact_id, history_id
) w
where u.history_id > m.history_id
  and u.action = 'undone'
  and w.history_id > u.undoes
  and w.history_id < u.history_id
  and w.snapshot ->> 'side' = '0'
order by 1

-- name: lost_since
-- Identifiers that left the survivor by themselves since, or whom it was merged with in between; both
-- indexes by contact, in a young table too (update_contacts).
with merge as (
    select history_id, contact_id
    from identity_history
    where account_id = %(account_id)s
      and history_id between %(merge_id)s and %(merge_id)s
    order by history_id
    limit 1
),
part_of as (
    select contact_id, history_id as first, null::bigint as last
    from merge
    union all
    select u.other_contact_id, u.undoes, u.history_id
    from merge m
    cross join lateral (
        select *
        from identity_history
        where account_id = %(account_id)s
          and contact_id between m.contact_id and m.contact_id
        order by contact_id
    ) u
    where u.history_id > m.history_id
      and u.action = 'undone'
)
select l.history_id, l.at, l.rule, l.identifiers
from part_of p
cross join lateral (
    (
        select history_id, at, rule, identifiers
        from identity_history
        where account_id = %(account_id)s
          and other_contact_id between p.contact_id and p.contact_id
          and action in ('moved', 'claimed')
        order by other_contact_id
    )
    union all
    (
        select history_id, at, rule, identifiers
        from identity_history
        where account_id = %(account_id)s
          and contact_id between p.contact_id and p.contact_id
          and (action = 'quarantined' or action = 'dropped' and rule in ('logout', 'claim'))
        order by contact_id
    )
) l
where l.history_id > p.first
  and (p.last is null or l.history_id < p.last)
  and l.identifiers is not null
order by 1
