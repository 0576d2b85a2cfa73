//! The simulated world behind one lock: transactions that are either journalled or undone, and the clock that they read. What the world holds is in `state/model.rs`.

pub(crate) mod journal;
pub(crate) mod model;
pub(crate) mod plant;

use std::ops::Deref;
use std::sync::{PoisonError, RwLock};

use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::engine;
use crate::engine::clock::Clock;
use crate::engine::limits::Limits;
use crate::wire::errors::{Problem, Refusal};
use journal::{Journal, Ticket};
use model::{Change, World};

pub(crate) struct State {
    world: RwLock<World>,
    journal: Journal,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    /// Wakes the engine when the next deadline may have moved.
    pub(crate) woken: Notify,
}

impl State {
    pub(crate) fn new(world: World, journal: Journal, clock: Clock, limits: Limits) -> State {
        State {
            world: RwLock::new(world),
            journal,
            clock,
            limits,
            woken: Notify::new(),
        }
    }

    /// Reads the world as it is now: whatever is due has happened.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&World, OffsetDateTime) -> R) -> R {
        let now = self.clock.now();
        if self.lock_read().next_due().is_some_and(|due| due <= now) {
            let _ = self.write(|_| Ok(()));
        }
        look(&self.lock_read(), now)
    }

    /// Changes the world in one transaction; a refusal leaves no trace. The ticket is to be awaited before anybody hears of success.
    pub(crate) fn write<R>(
        &self,
        act: impl FnOnce(&mut Tx<'_>) -> Result<R, Refusal>,
    ) -> (Result<R, Refusal>, Ticket) {
        let now = self.clock.now();
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        let mut tx = Tx {
            world: &mut world,
            now,
            speed: self.clock.speed(),
            limits: &self.limits,
            done: Vec::new(),
            undo: Vec::new(),
        };
        engine::settle(&mut tx);
        let mark = tx.mark();
        let result = if self.journal.is_broken() {
            Err(Refusal::new(
                http::StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "The simulator cannot write its data directory; free disk space and start it again.",
            ))
        } else {
            act(&mut tx)
        };
        if result.is_err() {
            tx.rollback(mark);
        }
        let (done, undo) = (std::mem::take(&mut tx.done), std::mem::take(&mut tx.undo));
        tx.world.remember(now, &undo);
        let ticket = self.journal.append(done, tx.world);
        drop(world);
        self.woken.notify_one();
        (result, ticket)
    }

    /// As [`State::write`], and durable when it returns.
    pub(crate) async fn commit<R>(
        &self,
        act: impl FnOnce(&mut Tx<'_>) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let (result, ticket) = self.write(act);
        match ticket.durable().await {
            true => result,
            false => Err(Refusal {
                problem: Box::new(Problem::new(
                    "InternalServerError",
                    "The simulator could not write the change to its data directory.",
                )),
                ..Refusal::new(http::StatusCode::INTERNAL_SERVER_ERROR, "", "")
            }),
        }
    }

    pub(crate) fn next_due(&self) -> Option<OffsetDateTime> {
        self.lock_read().next_due()
    }

    /// Writes a snapshot and ends the journal's thread.
    pub(crate) fn close(&self) {
        self.journal.close(&self.lock_read());
    }

    fn lock_read(&self) -> std::sync::RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction: the world, readable, and the only way to change it.
pub(crate) struct Tx<'w> {
    world: &'w mut World,
    pub(crate) now: OffsetDateTime,
    speed: f64,
    pub(crate) limits: &'w Limits,
    done: Vec<Change>,
    undo: Vec<Change>,
}

impl Deref for Tx<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        self.world
    }
}

impl Tx<'_> {
    pub(crate) fn apply(&mut self, change: Change) {
        let undo = self.world.apply(&change);
        self.done.push(change);
        self.undo.push(undo);
    }

    /// When something that takes Azure this many seconds is done here.
    pub(crate) fn after(&self, seconds: f64) -> OffsetDateTime {
        self.now + time::Duration::seconds_f64(seconds / self.speed)
    }

    pub(crate) fn mark(&self) -> usize {
        self.done.len()
    }

    /// Undoes everything since the mark.
    pub(crate) fn rollback(&mut self, mark: usize) {
        self.done.truncate(mark);
        while self.undo.len() > mark {
            if let Some(undo) = self.undo.pop() {
                self.world.apply(&undo);
            }
        }
    }
}
