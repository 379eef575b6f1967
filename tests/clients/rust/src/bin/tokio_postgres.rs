//! tokio-postgres.

use pg_session_jwt_clients::{Answer, Refusal, Todo, Todos, scenario};
use tokio_postgres::{Client, Error, NoTls, Row, Transaction};

struct TokioPostgres(Client);

impl TokioPostgres {
    async fn transaction(&mut self, token: Option<&str>) -> Result<Transaction<'_>, Error> {
        let transaction = self.0.transaction().await?;
        transaction.batch_execute("set local role authenticated").await?;
        if let Some(token) = token {
            transaction
                .execute("select auth.jwt_session_init($1, true)", &[&token])
                .await?;
        }
        Ok(transaction)
    }
}

impl Todos for TokioPostgres {
    async fn create(&mut self, token: &str, task: &str, user_id: Option<&str>) -> Answer<Todo> {
        let transaction = self.transaction(Some(token)).await.map_err(refusal)?;
        let row = match user_id {
            None => {
                let insert = "insert into todos (task) values ($1) returning id, user_id, task";
                transaction.query_one(insert, &[&task]).await
            }
            Some(user_id) => {
                let insert = "insert into todos (task, user_id) values ($1, $2) returning id, user_id, task";
                transaction.query_one(insert, &[&task, &user_id]).await
            }
        };
        let todo = todo(&row.map_err(refusal)?);
        transaction.commit().await.map_err(refusal)?;
        Ok(todo)
    }

    async fn read(&mut self, token: Option<&str>) -> Answer<Vec<Todo>> {
        let transaction = self.transaction(token).await.map_err(refusal)?;
        let rows = transaction
            .query("select id, user_id, task from todos order by id", &[])
            .await;
        Ok(rows.map_err(refusal)?.iter().map(todo).collect())
    }

    async fn update(&mut self, token: &str, id: i64, task: &str) -> Answer<u64> {
        let transaction = self.transaction(Some(token)).await.map_err(refusal)?;
        let update = "update todos set task = $2 where id = $1";
        let updated = transaction.execute(update, &[&id, &task]).await.map_err(refusal)?;
        transaction.commit().await.map_err(refusal)?;
        Ok(updated)
    }

    async fn delete(&mut self, token: &str, id: i64) -> Answer<u64> {
        let transaction = self.transaction(Some(token)).await.map_err(refusal)?;
        let deleted = transaction.execute("delete from todos where id = $1", &[&id]).await;
        let deleted = deleted.map_err(refusal)?;
        transaction.commit().await.map_err(refusal)?;
        Ok(deleted)
    }
}

fn todo(row: &Row) -> Todo {
    Todo {
        id: row.get("id"),
        user_id: row.get("user_id"),
        task: row.get("task"),
    }
}

fn refusal(error: Error) -> Refusal {
    let error = error.as_db_error().unwrap_or_else(|| panic!("{error:?}"));
    Refusal(error.code().code().to_owned(), error.message().to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let name = |name| std::env::var(name).unwrap();
    let config = format!(
        "host={} port={} user={} dbname={}",
        name("PGHOST"),
        name("PGPORT"),
        name("PGUSER"),
        name("PGDATABASE")
    );
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    tokio::spawn(connection);
    scenario(TokioPostgres(client)).await;
}
