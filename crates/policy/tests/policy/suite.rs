//! The Rego tests that stand beside the rules, as something that can be run: whole, by file, or with one file changed.

use std::path::Path;

use regorus::{Engine, Value};

/// Rule files and their tests.
pub(crate) struct Suite {
    files: Vec<(String, String)>,
}

/// One Rego test: `test_gr_003_fails` of `data.test.guardrails.placement`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case {
    pub(crate) package: String,
    pub(crate) name: String,
}

impl Suite {
    pub(crate) fn shipped() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        Self {
            files: policy::files_in(&folder).unwrap(),
        }
    }

    pub(crate) fn rule_files(&self) -> impl Iterator<Item = &(String, String)> {
        self.files
            .iter()
            .filter(|(path, _)| !path.ends_with("_test.rego"))
    }

    pub(crate) fn engine(&self) -> Engine {
        policy::engine(self.files.iter().cloned()).unwrap()
    }

    /// Everything, with another text in one file; none where that cannot be loaded.
    pub(crate) fn with(&self, changed: &str, text: &str) -> Option<Engine> {
        let files = self.files.iter().map(|(path, shipped)| {
            let text = if path == changed { text } else { shipped };
            (path.clone(), text.to_owned())
        });
        policy::engine(files).ok()
    }

    /// Every test there is, found by its name.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let compiled = self
            .engine()
            .compile_with_entrypoint(&"data.slipway.offer.images".into())
            .unwrap();
        let mut cases: Vec<Case> = compiled
            .get_rules()
            .keys()
            .filter_map(|path| {
                let (package, name) = path.rsplit_once('.')?;
                name.starts_with("test_").then(|| Case {
                    package: package.to_owned(),
                    name: name.to_owned(),
                })
            })
            .collect();
        cases.sort();
        cases
    }
}

impl Case {
    /// A test passes when it is true: undefined is not, and an error is not.
    pub(crate) fn passes(&self, engine: &mut Engine) -> Result<(), String> {
        match engine.eval_rule(format!("{}.{}", self.package, self.name)) {
            Ok(value) if value == Value::from(true) => Ok(()),
            Ok(value) => Err(format!("{}.{} is {value}", self.package, self.name)),
            Err(error) => Err(format!("{}.{}: {error:#}", self.package, self.name)),
        }
    }
}
