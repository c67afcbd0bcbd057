-- name: contacts
-- Cards as rows (wire 10.3); primary key. What belongs to the sending of messages stays null: nothing
-- is sent from here.
select c.contact_id as "contactId",
       c.source as "contactSource",
       c.created_at as "createdDate",
       c.email as "email",
       nullif(split_part(c.email, '@', 2), '') as "emailDomain",
       case (c.consent ->> 'email')::integer
           when 1 then 'SUBSCRIBED' when 2 then 'UNCONFIRMED' when 3 then 'UNSUBSCRIBED'
           when 4 then 'SPAM' when 5 then 'BLACKLISTED'
       end as "emailStatus",
       c.external_id as "externalCustomerId",
       c.first_name as "firstName",
       c.language_code as "languageCode",
       null::timestamptz as "lastClickedDate",
       null::timestamptz as "lastReceivedDate",
       null::timestamptz as "lastSentDate",
       null::timestamptz as "lastViewedDate",
       c.last_name as "lastName",
       c.phone as "sms",
       null::integer as "totalClicked",
       null::integer as "totalReceived",
       null::integer as "totalSent",
       null::integer as "totalViewed",
       case c.status when 0 then 'LIVE' else 'REMOVED' end as "contactStatus"
from contact c
where c.account_id = %(account_id)s
  and c.status <= %(last_status)s
  and (%(everything)s or c.contact_id = any(array(select contact_id from pg_temp.changed_contact)))

-- name: devices
-- Push tokens with what is known of their device, and devices without a token; index
-- identifier_by_contact. 4, 5 and 7: mobile token, web token, device.
select coalesce(t.attributes ->> 'appVersion', d.attributes ->> 'appVersion') as "appVersion",
       coalesce(t.app, d.app) as "applicationId",
       coalesce(
           t.attributes ->> 'category', d.attributes ->> 'category',
           case t.kind when 5 then 'WEB' else 'MOBILE' end
       ) as "category",
       c.contact_id as "contactId",
       case t.kind when 7 then coalesce(t.long_value, t.value_key) else t.device end as "deviceId",
       coalesce(t.attributes ->> 'deviceModel', d.attributes ->> 'deviceModel') as "deviceModel",
       c.external_id as "externalCustomerId",
       coalesce(
           t.attributes ->> 'languageCode', t.attributes ->> 'locale', t.attributes ->> 'userAgentLanguage',
           d.attributes ->> 'languageCode', d.attributes ->> 'locale'
       ) as "languageCode",
       coalesce(
           t.attributes ->> 'osType', t.attributes ->> 'os', d.attributes ->> 'osType', d.attributes ->> 'os'
       ) as "osType",
       coalesce(t.attributes ->> 'osVersion', d.attributes ->> 'osVersion') as "osVersion",
       case t.kind when 7 then null else coalesce(t.long_value, t.value_key) end as "pushToken",
       coalesce(t.attributes ->> 'timeZone', d.attributes ->> 'timeZone') as "timeZone"
from identifier t
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = t.contact_id
left join identifier d
  on d.account_id = %(account_id)s
 and d.kind = 7
 and d.value_key = t.device
 and d.ordinal = 0
 and t.kind <> 7
where t.account_id = %(account_id)s
  and t.kind in (4, 5, 7)
  and c.status <= %(last_status)s
  and (%(everything)s or t.contact_id = any(array(select contact_id from pg_temp.changed_contact)))
  and not (
      t.kind = 7
      and exists (
          select from identifier o
          where o.account_id = %(account_id)s
            and o.contact_id = t.contact_id
            and o.kind in (4, 5)
            and o.device = coalesce(t.long_value, t.value_key)
      )
  )

-- name: identifiers
-- Every identifier of every contact, former External IDs too (decisions D11); index
-- identifier_by_contact.
select i.contact_id as "contactId",
       case i.kind
           when 1 then 'external_id' when 2 then 'email' when 3 then 'phone' when 4 then 'mobile_token'
           when 5 then 'web_token' when 6 then 'telegram_token' when 7 then 'device' when 8 then 'web_cookie'
           else i.kind::text
       end as "kind",
       coalesce(i.long_value, i.value_key) as "value",
       i.former as "former",
       i.since as "since",
       i.rule as "rule"
from identifier i
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = i.contact_id
where i.account_id = %(account_id)s
  and c.status <= %(last_status)s
  and (%(everything)s or i.contact_id = any(array(select contact_id from pg_temp.changed_contact)))

-- name: customFields
-- Values of custom fields; primary key.
select c.contact_id as "contactId",
       f.key::bigint as "fieldId",
       f.value as "value"
from contact c
cross join lateral jsonb_each_text(c.fields) as f (key, value)
where c.account_id = %(account_id)s
  and c.status <= %(last_status)s
  and c.fields <> '{}'
  and (%(everything)s or c.contact_id = any(array(select contact_id from pg_temp.changed_contact)))

-- name: fieldDefinitions
-- Custom fields that are defined; few, so all of them each time. Primary key.
select d.field_id as "fieldId",
       d.list_key as "listKey",
       d.key as "key",
       d.name as "name",
       d.type as "type"
from field_definition d
where d.account_id = %(account_id)s
order by d.field_id

-- name: events
-- Events and visits of everybody who is known, with the contact that they belong to now; primary key.
-- The first 50 parameters, texts cut to 300 characters (wire 10.3).
select coalesce(o.contact_id, c.contact_id) as "contactId",
       e.event_id as "eventId",
       e.type_key as "eventTypeKey",
       nullif(e.key_value, '') as "keyValue",
       e.occurred as "occured",
       case
           when octet_length(e.params::text) <= 300 then e.params
           else (
               select jsonb_object_agg(
                   p.key,
                   case when length(p.value #>> '{}') > 300
                       then to_jsonb(left(p.value #>> '{}', 300)) else p.value end
               )
               from (select key, value from jsonb_each(e.params) limit 50) p
           )
       end as "paramsJson"
from event e
left join pg_temp.owner_elsewhere o on o.owner_id = e.owner_id
left join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = e.owner_id
 and c.status < 2
where e.account_id = %(account_id)s
  and (o.contact_id is not null or c.contact_id is not null)

-- name: changed_events
-- The same of few events: from the list of them to their rows by the primary key.
select coalesce(o.contact_id, c.contact_id) as "contactId",
       e.event_id as "eventId",
       e.type_key as "eventTypeKey",
       nullif(e.key_value, '') as "keyValue",
       e.occurred as "occured",
       case
           when octet_length(e.params::text) <= 300 then e.params
           else (
               select jsonb_object_agg(
                   p.key,
                   case when length(p.value #>> '{}') > 300
                       then to_jsonb(left(p.value #>> '{}', 300)) else p.value end
               )
               from (select key, value from jsonb_each(e.params) limit 50) p
           )
       end as "paramsJson"
from pg_temp.changed_event n
join event e
  on e.account_id = %(account_id)s
 and e.occurred = n.occurred
 and e.event_id = n.event_id
left join pg_temp.owner_elsewhere o on o.owner_id = e.owner_id
left join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = e.owner_id
 and c.status < 2
where (o.contact_id is not null or c.contact_id is not null)

-- name: months_of_events
-- The months that events of known people are in.
select distinct to_char(e.occurred at time zone 'UTC', 'YYYY-MM') as month
from event e
left join pg_temp.owner_elsewhere o on o.owner_id = e.owner_id
left join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = e.owner_id
 and c.status < 2
where e.account_id = %(account_id)s
  and (o.contact_id is not null or c.contact_id is not null)
order by month

-- name: orders
-- Orders with the contact that they belong to now; primary key.
select coalesce(w.contact_id, c.contact_id) as "contactId",
       o.delivery_address as "deliveryAddress",
       o.delivery_method as "deliveryMethod",
       trim_scale(round(o.discount, 9)) as "discount",
       o.email as "email",
       o.external_order_id as "externalOrderId",
       o.first_name as "firstName",
       o.last_name as "lastName",
       o.created_at as "orderCreatedDate",
       o.ordered_at as "orderDate",
       o.order_id as "orderId",
       o.payment_method as "paymentMethod",
       o.phone as "Phone",
       case o.status
           when 0 then 'INITIALIZED' when 1 then 'IN_PROGRESS' when 2 then 'DELIVERED'
           when 3 then 'CANCELLED' when 4 then 'ABANDONED_SHOPPING_CART'
       end as "Status",
       trim_scale(round(o.total_cost, 9)) as "totalCost"
from orders o
left join pg_temp.owner_elsewhere w on w.owner_id = o.owner_id
left join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = o.owner_id
 and c.status < 2
where o.account_id = %(account_id)s
  and (%(everything)s or o.order_id = any(array(select order_id from pg_temp.changed_order)))
  and (w.contact_id is not null or c.contact_id is not null)

-- name: orderItems
-- Items of the same orders; primary keys.
select trim_scale(round(i.cost, 9)) as "cost",
       i.description as "description",
       i.external_item_id as "externalProductId",
       i.image_url as "imageUrl",
       i.name as "name",
       o.ordered_at as "orderDate",
       i.order_id as "orderId",
       trim_scale(round(i.quantity, 9)) as "quantity",
       i.url as "url"
from order_item i
join orders o
  on o.account_id = %(account_id)s
 and o.order_id = i.order_id
left join pg_temp.owner_elsewhere w on w.owner_id = o.owner_id
left join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = o.owner_id
 and c.status < 2
where i.account_id = %(account_id)s
  and (%(everything)s or i.order_id = any(array(select order_id from pg_temp.changed_order)))
  and (w.contact_id is not null or c.contact_id is not null)

-- name: segments
-- Segments and lists; few, so all of them each time. Primary key.
select s.segment_id as "segmentId",
       s.name as "name",
       s.type as "type",
       s.created_at as "createdDate"
from segment s
where s.account_id = %(account_id)s
order by s.segment_id

-- name: segmentMembers
-- Who is in which list, and in the version that serves of which segment: all of those that changed as a
-- whole, and the changed contacts of the others. Primary keys.
select g.segment_id as "segmentId",
       m.contact_id as "contactId",
       m.since as "since"
from (
    select segment_id, version_id,
           %(everything)s or segment_id = any(array(select segment_id from pg_temp.changed_segment)) as is_whole
    from segment
    where account_id = %(account_id)s
) g
cross join lateral (
    select contact_id, since
    from segment_member
    where account_id = %(account_id)s
      and segment_id = g.segment_id
      and g.version_id is null
      and g.is_whole
    union all
    select contact_id, since
    from segment_member
    where account_id = %(account_id)s
      and segment_id = g.segment_id
      and g.version_id is null
      and not g.is_whole
      and contact_id = any(array(select contact_id from pg_temp.changed_contact))
    union all
    select contact_id, since
    from segment_match
    where account_id = %(account_id)s
      and version_id = g.version_id
      and since < 'infinity'
      and g.is_whole
    union all
    select contact_id, since
    from segment_match
    where account_id = %(account_id)s
      and version_id = g.version_id
      and since < 'infinity'
      and not g.is_whole
      and contact_id = any(array(select contact_id from pg_temp.changed_contact))
) m
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = m.contact_id
where c.status <= %(last_status)s

-- name: identityHistory
-- The identity history of everybody who is not erased, without what is kept for undos only; index
-- identity_history_by_contact.
select h.history_id as "historyId",
       h.contact_id as "contactId",
       h.other_contact_id as "otherContactId",
       h.at as "occurredDate",
       h.action as "action",
       h.rule as "rule",
       h.method as "method",
       h.request_id as "requestId",
       h.identifiers as "identifiersJson"
from identity_history h
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = h.contact_id
where h.account_id = %(account_id)s
  and h.action <> 'said'
  and c.status < 3
  and (%(everything)s or h.contact_id = any(array(select contact_id from pg_temp.changed_contact)))

-- name: redirects
-- Retired cards and the card that holds what they had, through any chain (decisions D14); index
-- contact_by_survivor.
with recursive up as (
    select c.contact_id, c.merged_into as survivor_id
    from contact c
    where c.account_id = %(account_id)s
      and c.merged_into is not null
      and c.status = 2
      and (%(everything)s or c.contact_id = any(array(select contact_id from pg_temp.changed_redirect)))
    union
    select u.contact_id, c.merged_into
    from up u
    join contact c
      on c.account_id = %(account_id)s
     and c.contact_id = u.survivor_id
     and c.status = 2
)
select u.contact_id as "contactId",
       u.survivor_id as "survivorContactId"
from up u
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = u.survivor_id
 and c.status < 2

-- name: scope_contacts
-- Contacts that changed.
select contact_id from pg_temp.changed_contact

-- name: scope_redirects
-- Cards that were or are retired into a card that changed.
select contact_id from pg_temp.changed_redirect

-- name: scope_segments
-- Segments whose members are all read anew.
select segment_id from pg_temp.changed_segment

-- name: scope_events
-- Events that are new, or whose contact is another.
select event_id from pg_temp.changed_event

-- name: scope_orders
-- Orders that were written or deleted.
select order_id from pg_temp.changed_order

-- name: scope_erased
-- Contacts that were erased: their rows go, wherever they are.
select c.contact_id
from pg_temp.changed_contact n
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = n.contact_id
where c.status = 3
