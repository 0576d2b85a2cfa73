//! The store's contract: every story is told twice, once to SQLite in a file and once to PostgreSQL.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod audit;
mod disk;
mod journal;
mod limits;
mod lists;
mod queue;
mod requests;
mod reservations;
mod schema;
mod small;
mod world;

/// Makes one test per engine out of each story.
macro_rules! stories {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::world::World::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::world::World::postgres().await).await;
            })+
        }
    };
}
pub(crate) use stories;
