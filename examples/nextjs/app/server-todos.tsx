import { todos } from '@/db/schema';
import { problemOf } from '@/lib/db/failure';
import { db } from '@/lib/db/server';
import { addTodo, deleteTodo, tickTodo } from './actions';
import { TodoList } from './todo-list';

// Without a condition: the policies return the rows of the person who asks.
const read = () => db.select({ id: todos.id, task: todos.task, done: todos.done }).from(todos).orderBy(todos.id);

export async function ServerTodos() {
  try {
    return <TodoList todos={await read()} where="server" add={addTodo} tick={tickTodo} remove={deleteTodo} />;
  } catch (error) {
    return <p className="notice" role="alert">{problemOf(error)}</p>;
  }
}
