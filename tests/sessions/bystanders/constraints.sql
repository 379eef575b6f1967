insert into s.parent values (1, 'again')
insert into s.parent values (4, 'one')
insert into s.parent values (null, 'none')
insert into s.parent values (4, null)
insert into s.parent (name) values ('none')
insert into s.parent select 1, 'x' || g from generate_series(1, 3) g
insert into s.parent values (4, 'four'), (4, 'five')
insert into s.parent values (4, 'one') on conflict (id) do nothing
insert into s.parent values (4, 'x'), (4, 'y') on conflict (id) do update set name = 'z'
insert into s.parent values (1, 'x') on conflict (id) do update set name = 'two'
insert into s.parent values (1, 'x') on conflict (id) do update set id = 1 / 0
insert into s.child (id, parent) values (9, 77)
insert into s.child (id, amount) values (9, -1)
insert into s.child (id, amount) values (9, 13)
insert into s.child (id, amount) values (9, 5000)
insert into s.child (id, colour) values (9, 'blue')
insert into s.child (id, name) values (9, null)
insert into s.child (id, name) values (9, 'much too long')
insert into s.child (id, note) values (9, 'much too long')
insert into s.child (id, amount) select 9, n - 1 from s.many where id = 100
update s.parent set id = 2 where id = 1
update s.parent set id = 50 where id = 1
update s.parent set name = 'two' where id = 1
update s.parent set name = null
update s.child set amount = amount - 100
update s.child set amount = 13
update s.child set parent = 77
update s.child set parent = parent / 0
update s.child set name = repeat('x', id * 10)
delete from s.parent where id = 1
delete from s.parent
truncate s.parent
insert into s.booking values (1, '[3,9)')
insert into s.booking values (1, '[9,3)')
update s.booking set during = 'x'
insert into s.later values (1, 1)
insert into s.later values (5, 77)
begin;; insert into s.later values (1, 1);; select 1 as still_here;; commit
begin;; insert into s.later values (5, 77);; commit
begin;; insert into s.later values (5, 77);; set constraints later_parent immediate;; rollback
begin;; set constraints all immediate;; insert into s.later values (5, 77);; rollback
begin;; set constraints nothing deferred;; rollback
begin;; set constraints child_parent deferred;; rollback
insert into s.divided values (1, 50)
insert into s.divided values (1, null)
update s.divided set part = 50
insert into s.divided_1 values (1, 50)
insert into s.made (n) values (0)
insert into s.made (id, n) overriding user value values (1, 0)
update s.made set tenth = 1
update s.made set id = 1
insert into s.indexed values (2, 0)
update s.indexed set n = 0
insert into s.names values ('x')
update s.names set name = 'x'
delete from s.names
insert into s.small values (200, 'x')
update s.small set id = 200
update s.shares set share = 1
insert into s.stored values (1)
insert into s.guarded values (0, null)
insert into s.guarded values (1, 'P0123')
insert into s.guarded values (1, '45000')
insert into s.guarded values (1, 'PT403')
insert into s.guarded values (1, 'late')
begin;; insert into s.guarded values (1, 'late');; select 1 as still_here;; commit
begin;; insert into s.guarded values (1, 'late');; set constraints d_raises_late immediate;; rollback
update s.guarded set id = 1
update s.guarded set id = id / 0
merge into s.parent p using (values (1), (9)) v(id) on p.id = v.id when matched then update set name = 'two'
merge into s.parent p using (values (1), (1)) v(id) on p.id = v.id when matched then update set name = 'uno'
merge into s.parent p using (values (9)) v(id) on p.id = v.id when not matched then insert values (v.id, 'one')
merge into s.child c using (values (1)) v(id) on c.id = v.id when matched then update set amount = -5
create collation s.c from "C"
alter table s.child alter column amount set not null, alter column id drop not null
alter table s.child add constraint small check (amount < 5)
alter table s.child add constraint twice unique (note, name), add constraint far foreign key (amount) references s.parent
alter table s.child add unique (id), add column x s.name
alter table s.child validate constraint nothing
alter table s.parent drop constraint parent_pkey
alter table s.divided attach partition s.many for values from (20) to (30)
alter table s.divided detach partition s.many
create unique index on s.many (n)
create table s.copied (like s.nothing)
create table s.t (id int, constraint a check (id > 0), constraint a check (id > 1))
create table s.t () inherits (s.parent, s.child)
begin;; create table s.t (id int primary key) on commit drop;; insert into s.t values (1), (1);; commit
begin;; insert into s.parent values (7, 'seven');; insert into s.parent values (7, 'eight');; insert into s.parent values (8, 'eight');; commit
set session_replication_role = replica;; insert into s.child (id, parent, amount) values (9, 77, -1)
