// The scenario in Kysely, for a function that gives the database of a user.

import { Kysely } from 'kysely';

const COLUMNS = ['id', 'user_id as userId', 'task'];

export async function kysely(dialectOf) {
  const as = async (token, work) => {
    const db = new Kysely({ dialect: dialectOf(token) });
    try {
      return await work(db);
    } finally {
      await db.destroy();
    }
  };
  const { scenario } = await import(process.env.SCENARIO);
  await scenario({
    create: (token, task, userId) =>
      as(token, (db) => db.insertInto('todos').values(userId ? { task, user_id: userId } : { task }).returning(COLUMNS).executeTakeFirstOrThrow()),
    read: (token) => as(token, (db) => db.selectFrom('todos').select(COLUMNS).orderBy('id').execute()),
    update: (token, id, task) =>
      as(token, async (db) => (await db.updateTable('todos').set({ task }).where('id', '=', id).executeTakeFirst()).numUpdatedRows),
    remove: (token, id) => as(token, async (db) => (await db.deleteFrom('todos').where('id', '=', id).executeTakeFirst()).numDeletedRows),
    rejection: (error) => error,
  });
}
