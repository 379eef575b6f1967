// The table of todos, as each ORM describes it.

import { bigint, pgTable, text } from 'drizzle-orm/pg-core';
import { DataTypes } from 'sequelize';
import { EntitySchema } from 'typeorm';

export const drizzleTodos = pgTable('todos', {
  id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  userId: text('user_id'),
  task: text('task').notNull(),
});

export const TypeormTodo = new EntitySchema({
  name: 'Todo',
  tableName: 'todos',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    task: { type: 'text' },
  },
});

export const sequelizeTodo = (sequelize) =>
  sequelize.define(
    'Todo',
    { id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true }, task: DataTypes.TEXT },
    { tableName: 'todos', timestamps: false },
  );
