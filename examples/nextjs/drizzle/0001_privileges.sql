-- Drizzle writes no privileges. The user_id of a row cannot be changed.
GRANT SELECT, INSERT, DELETE, UPDATE (task, done) ON todos TO authenticated;
