//! tokio-postgres by docs/languages.md.

mod page {
    include!(concat!(env!("OUT_DIR"), "/tokio_postgres.rs"));
}

use page::{is_of_token, with_token};
use pg_session_jwt_clients::{Answer, Rejection, Todo, Todos, scenario};
use tokio_postgres::{Client, Error, NoTls, Row};

struct TokioPostgres(Client);

impl Todos for TokioPostgres {
    async fn create(&mut self, token: &str, task: &str, user_id: Option<&str>) -> Answer<Todo> {
        let transaction = with_token(&mut self.0, Some(token)).await.map_err(rejection)?;
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
        let todo = todo(&row.map_err(rejection)?);
        transaction.commit().await.map_err(rejection)?;
        Ok(todo)
    }

    async fn read(&mut self, token: Option<&str>) -> Answer<Vec<Todo>> {
        let transaction = with_token(&mut self.0, token).await.map_err(rejection)?;
        let rows = transaction
            .query("select id, user_id, task from todos order by id", &[])
            .await;
        Ok(rows.map_err(rejection)?.iter().map(todo).collect())
    }

    async fn update(&mut self, token: &str, id: i64, task: &str) -> Answer<u64> {
        let transaction = with_token(&mut self.0, Some(token)).await.map_err(rejection)?;
        let update = "update todos set task = $2 where id = $1";
        let updated = transaction.execute(update, &[&id, &task]).await.map_err(rejection)?;
        transaction.commit().await.map_err(rejection)?;
        Ok(updated)
    }

    async fn delete(&mut self, token: &str, id: i64) -> Answer<u64> {
        let transaction = with_token(&mut self.0, Some(token)).await.map_err(rejection)?;
        let deleted = transaction.execute("delete from todos where id = $1", &[&id]).await;
        let deleted = deleted.map_err(rejection)?;
        transaction.commit().await.map_err(rejection)?;
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

fn rejection(error: Error) -> Rejection {
    let is_of_token = is_of_token(&error);
    let error = error.as_db_error().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!(is_of_token, error.code().code() == "28000");
    Rejection(error.code().code().to_owned(), error.message().to_owned())
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
