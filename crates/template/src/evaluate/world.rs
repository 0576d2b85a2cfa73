//! What a whole evaluation shares: the runtime, the context, the budget of work, and the ledger of causes.

use std::cell::{Cell, RefCell};

use crate::cause::Ledger;
use crate::{Context, Error, Runtime};

/// Calls that one evaluation may make: far more than a lawful template needs, few enough to end in seconds.
const MAX_STEPS: u64 = 5_000_000;
/// How deep evaluation may go, through variables, functions and nested deployments.
const MAX_DEPTH: u32 = 4_000;

/// Resources that `reference()` and `list*()` asked for.
#[derive(Default)]
pub(crate) struct Touched {
    /// By id or name.
    pub(super) ids: Vec<String>,
    /// By name: these ARM waits for, as if `dependsOn` had them
    /// (<https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#reference>).
    pub(super) named: Vec<String>,
}

/// What a whole evaluation shares.
pub(crate) struct World<'w> {
    pub(crate) runtime: &'w dyn Runtime,
    pub(crate) context: &'w Context,
    guids: Cell<u64>,
    steps: Cell<u64>,
    depth: Cell<u32>,
    /// What `reference()` and `list*()` asked for, collected for the resource being made; the innermost last.
    touched: RefCell<Vec<Touched>>,
    pub(crate) causes: Ledger,
    /// Whether the default of a parameter is being computed: the only place for `utcNow()` and `newGuid()`.
    in_default: Cell<bool>,
}

impl<'w> World<'w> {
    pub(super) fn new(runtime: &'w dyn Runtime, context: &'w Context) -> Self {
        Self {
            runtime,
            context,
            guids: Cell::new(0),
            steps: Cell::new(0),
            depth: Cell::new(0),
            touched: RefCell::new(Vec::new()),
            causes: Ledger::default(),
            in_default: Cell::new(false),
        }
    }

    /// Counts work that is not a call of its own, such as the size of what a call made.
    pub(crate) fn charge(&self, steps: u64) -> Result<(), Error> {
        let total = self.steps.get().saturating_add(steps);
        self.steps.set(total);
        if total > MAX_STEPS {
            return Err(Error::Limit {
                place: String::new(),
                what: "the work to evaluate the template, in steps,".into(),
                limit: MAX_STEPS,
            });
        }
        Ok(())
    }

    pub(super) fn descend(&self) -> Result<Descent<'_>, Error> {
        self.charge(1)?;
        let depth = self.depth.get() + 1;
        if depth > MAX_DEPTH {
            return Err(Error::Limit {
                place: String::new(),
                what: "the depth of evaluation; a function may be calling itself; this".into(),
                limit: u64::from(MAX_DEPTH),
            });
        }
        self.depth.set(depth);
        Ok(Descent(&self.depth))
    }

    pub(crate) fn new_guid(&self) -> String {
        let n = self.guids.get();
        self.guids.set(n + 1);
        uuid::Uuid::new_v5(&self.context.guid_seed, n.to_string().as_bytes()).to_string()
    }

    /// Whether the default of a parameter is being computed.
    pub(crate) fn in_default(&self) -> bool {
        self.in_default.get()
    }

    /// Runs `work` as (or as not) the computation of a parameter's default.
    pub(super) fn as_default<T>(&self, default: bool, work: impl FnOnce() -> T) -> T {
        let before = self.in_default.replace(default);
        let result = work();
        self.in_default.set(before);
        result
    }

    pub(crate) fn touch(&self, id: &str) {
        if let Some(touched) = self.touched.borrow_mut().last_mut() {
            touched.ids.push(id.to_owned());
        }
    }

    /// A resource was asked for by its name or symbolic name.
    pub(super) fn touch_name(&self, id: &str) {
        if let Some(touched) = self.touched.borrow_mut().last_mut() {
            touched.named.push(id.to_owned());
        }
    }

    /// Runs `work` and gives what it asked for.
    pub(super) fn touching<T>(
        &self,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<(T, Touched), Error> {
        self.touched.borrow_mut().push(Touched::default());
        let result = work();
        let ids = self.touched.borrow_mut().pop().unwrap_or_default();
        result.map(|result| (result, ids))
    }
}

/// One level of evaluation; leaving it gives the level back.
pub(super) struct Descent<'d>(&'d Cell<u32>);

impl Drop for Descent<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
