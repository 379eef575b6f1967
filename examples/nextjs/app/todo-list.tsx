'use client';

import { useActionState } from 'react';
import type { Todo } from '@/db/schema';

// A change returns the problem, if there is one. On the server's list these are server actions.
interface Changes {
  add(task: string): Promise<string | undefined>;
  tick(id: number, done: boolean): Promise<string | undefined>;
  remove(id: number): Promise<string | undefined>;
}

// A list with its form. `where` distinguishes the labels of two lists in one page.
export function TodoList({ todos, where, add, tick, remove }: { todos: Todo[]; where: string } & Changes) {
  const [problem, run, isBusy] = useActionState(
    (_: string | undefined, work: () => Promise<string | undefined>) => work(), undefined);
  return (
    <>
      <form className="add" action={(form) => run(() => add(String(form.get('task'))))}>
        <input name="task" aria-label={`Task, added by the ${where}`} placeholder="What is to be done?" maxLength={200} required autoComplete="off" />
        <button disabled={isBusy}>Add</button>
      </form>
      {problem && <p className="notice" role="alert">{problem}</p>}
      {todos.length === 0 && <p className="hint">Nothing to do.</p>}
      <ul className="todos" aria-label={`Todos from the ${where}`}>
        {todos.map(({ id, task, done }) => (
          <li key={id} className={done ? 'done' : undefined}>
            <form action={() => run(() => tick(id, !done))}>
              <button className="tick" aria-pressed={done} aria-label={`Done: ${task}`}>{done ? '✓' : ''}</button>
            </form>
            <span>{task}</span>
            <form action={() => run(() => remove(id))}>
              <button className="delete" aria-label={`Delete: ${task}`}>×</button>
            </form>
          </li>
        ))}
      </ul>
    </>
  );
}
