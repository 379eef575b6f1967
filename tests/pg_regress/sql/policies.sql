-- Common policies, with the identity of claims mode.
CREATE TABLE todos (id int PRIMARY KEY, user_id text NOT NULL DEFAULT (auth.user_id()));
INSERT INTO todos VALUES (1, 'alice'), (2, 'bob'), (3, 'alice');
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON todos TO authenticated;

-- Without a policy no row is visible; without an identity neither, under any of the policies below.
SET ROLE authenticated;
SET request.jwt.claims = '{"sub":"alice"}';
SELECT * FROM todos;

-- The bare call.
RESET ROLE;
CREATE POLICY own ON todos TO authenticated USING (auth.user_id() = user_id);
SET ROLE authenticated;
SELECT * FROM todos ORDER BY id;
RESET request.jwt.claims;
SELECT * FROM todos;

-- The wrapped call.
RESET ROLE;
ALTER POLICY own ON todos USING ((SELECT auth.user_id()) = user_id) WITH CHECK ((SELECT auth.user_id()) = user_id);
SET ROLE authenticated;
SELECT * FROM todos;
SET request.jwt.claims = '{"sub":"bob"}';
SELECT * FROM todos;

-- The wrapped comparison, as Drizzle writes it.
RESET ROLE;
DROP POLICY own ON todos;
CREATE POLICY "crud-authenticated-policy-select" ON todos FOR SELECT TO authenticated USING ((SELECT auth.user_id() = todos.user_id));
CREATE POLICY "crud-authenticated-policy-insert" ON todos FOR INSERT TO authenticated WITH CHECK ((SELECT auth.user_id() = todos.user_id));
CREATE POLICY "crud-authenticated-policy-update" ON todos FOR UPDATE TO authenticated
    USING ((SELECT auth.user_id() = todos.user_id)) WITH CHECK ((SELECT auth.user_id() = todos.user_id));
CREATE POLICY "crud-authenticated-policy-delete" ON todos FOR DELETE TO authenticated USING ((SELECT auth.user_id() = todos.user_id));
SET ROLE authenticated;
SELECT * FROM todos;
SET request.jwt.claims = '{"sub":"alice"}';
SELECT * FROM todos ORDER BY id;
SELECT * FROM todos WHERE user_id = auth.user_id() ORDER BY id;

-- Writing: only rows of the user, by default or by name.
INSERT INTO todos (id) VALUES (4) RETURNING *;
INSERT INTO todos VALUES (5, 'bob');
UPDATE todos SET id = id + 10 RETURNING *;
UPDATE todos SET user_id = 'bob';
DELETE FROM todos WHERE id > 11 RETURNING *;
RESET request.jwt.claims;
INSERT INTO todos (id) VALUES (6);
INSERT INTO todos VALUES (6, 'alice');
DELETE FROM todos;
RESET ROLE;
SELECT * FROM todos ORDER BY id;
DROP TABLE todos;
