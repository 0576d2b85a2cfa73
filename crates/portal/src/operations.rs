//! Operations: reading, cancelling and resolving them, and [`Portal::advance`], which the worker calls. What each kind does lives in the modules below.

use types::actor::Actor;
use types::ids::OperationId;
use types::operation::{OperationDetail, OperationFilter, OperationSummary};
use types::page::Page;

use crate::{Error, Portal, Result};

impl Portal {
    /// One operation, whole.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn operation(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail> {
        let _ = (actor, id);
        Err(Error::internal("operation is being built"))
    }

    /// A page of operations, newest first.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn operations(
        &self,
        actor: &Actor,
        filter: &OperationFilter,
    ) -> Result<Page<OperationSummary>> {
        let _ = (actor, filter);
        Err(Error::internal("operations is being built"))
    }

    /// Asks an operation to stop; it does so between two steps or polls.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn cancel(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail> {
        let _ = (actor, id);
        Err(Error::internal("cancel is being built"))
    }

    /// Takes an operation that needs attention further: it runs again from the step that stopped. Admins only.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn resolve(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail> {
        let _ = (actor, id);
        Err(Error::internal("resolve is being built"))
    }

    /// Takes one step of an operation; called by the worker, safe to call at any time and any number of times.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn advance(&self, id: OperationId) -> Result<()> {
        let _ = (id,);
        Err(Error::internal("advance is being built"))
    }
}

/// Where a test stops the process: names such as `deployment.put.before`, see `docs/architecture.md`. Empty in production.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct CrashPoints(std::sync::Arc<std::collections::HashSet<String>>);
