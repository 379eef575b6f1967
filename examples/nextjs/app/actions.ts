'use server';

import { eq } from 'drizzle-orm';
import { revalidatePath } from 'next/cache';
import { todos } from '@/db/schema';
import { db } from '@/lib/db/server';
import { failureOf, problemOf } from '@/lib/db/failure';

// Every visitor can call a server action with any arguments. No statement filters by user: PostgreSQL knows who asks.

export async function addTodo(task: string) {
  return change(() => db.insert(todos).values({ task: String(task) }).returning({ id: todos.id }));
}

export async function tickTodo(id: number, done: boolean) {
  return change(() => db.update(todos).set({ done: Boolean(done) }).where(eq(todos.id, Number(id))).returning({ id: todos.id }));
}

export async function deleteTodo(id: number) {
  return change(() => db.delete(todos).where(eq(todos.id, Number(id))).returning({ id: todos.id }));
}

// Returns the problem, if there is one. A change of no row: the todo belongs to another person, or does not exist.
async function change(work: () => Promise<{ id: number }[]>): Promise<string | undefined> {
  try {
    const rows = await work();
    if (rows.length === 0) return 'There is no such todo.';
  } catch (error) {
    const { code, message } = failureOf(error);
    console.error(`a change failed: ${code}: ${message}`);
    return problemOf(error);
  }
  revalidatePath('/');
}
