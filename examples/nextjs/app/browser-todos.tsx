'use client';

import { useRouter } from 'next/navigation';
import { useEffect, useState } from 'react';
import type { Todo } from '@/db/schema';
import { sql } from '@/lib/db/browser';
import { problemOf } from '@/lib/db/failure';
import { TodoList } from './todo-list';

// The same list, from the browser. It reads again when the server has rendered the page again.
export function BrowserTodos({ rendered }: { rendered: number }) {
  const [todos, setTodos] = useState<Todo[]>();
  const [problem, setProblem] = useState<string>();
  const router = useRouter();

  useEffect(() => {
    let isCurrent = true;
    sql`select id::int, task, done from todos order by id`.then(
      (rows) => isCurrent && (setTodos(rows as Todo[]), setProblem(undefined)),
      (error) => isCurrent && setProblem(problemOf(error)),
    );
    return () => { isCurrent = false; };
  }, [rendered]);

  // Returns the problem, if there is one.
  async function change(statement: Promise<unknown[]>) {
    try {
      if ((await statement).length === 0) return 'There is no such todo.';
    } catch (error) {
      return problemOf(error);
    }
    router.refresh();
  }

  if (problem) return <p className="notice" role="alert">{problem}</p>;
  if (!todos) return <p className="hint">Reading …</p>;
  return (
    <TodoList
      todos={todos}
      where="browser"
      add={(task) => change(sql`insert into todos (task) values (${task}) returning id`)}
      tick={(id, done) => change(sql`update todos set done = ${done} where id = ${id} returning id`)}
      remove={(id) => change(sql`delete from todos where id = ${id} returning id`)}
    />
  );
}
